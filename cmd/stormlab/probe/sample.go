// Package probe looks at a node from outside, once a second: how fast it
// answers, whether its tip moves, what it uses. It asks only what any client
// could ask, so it treats both programs alike.
package probe

import "time"

// Answer is the result of one way of asking the node.
type Answer struct {
	// Took is how long the last answer took, or how long the open question has
	// waited, in seconds.
	Took float64 `json:"took"`
	// OK is true if the node has answered the last question.
	OK bool `json:"ok"`
	// Silent is how long the node has answered nothing, in seconds. It is zero if
	// OK.
	Silent float64 `json:"silent"`
	// Note is "refused", or the error.
	Note string `json:"note,omitempty"`
}

// Sample is what the probe knows at one second.
type Sample struct {
	At         float64 `json:"at"` // seconds since the probe began
	BlockCount Answer  `json:"getblockcount"`
	PeerInfo   Answer  `json:"getpeerinfo"`
	Handshake  Answer  `json:"handshake"` // with a ping and its pong
	Height     int32   `json:"height"`    // the node's last answer
	Offered    int32   `json:"offered"`   // the height of the honest chain
	Behind     float64 `json:"behind"`    // seconds since the tip moved, or had the offered height
	Goroutines int     `json:"goroutines"`
	RSS        int64   `json:"rss"` // bytes
	Peers      int     `json:"peers"`
	Pool       Pool    `json:"pool"`
	CPU        float64 `json:"cpu"` // seconds of processor time since the process began; zero: unknown
}

// Pool is the node's last answer to getmempoolinfo. btcd tells only how many
// transactions it has; what it does not tell is zero.
type Pool struct {
	Txs    int     `json:"size"`
	Usage  int64   `json:"usage"`         // bytes of memory
	Cap    int64   `json:"maxmempool"`    // bytes of memory at most
	MinFee float64 `json:"mempoolminfee"` // the lowest fee rate that it takes, in bitcoin per 1,000 virtual bytes
}

// Stall is a time in which the node did not do its work.
type Stall struct {
	From  float64 `json:"from"`  // when the silence began, in seconds since the probe began
	Until float64 `json:"until"` // when it ended, if Ended
	Ended bool    `json:"ended"`
	Why   string  `json:"why"`
}

// Stalls finds the times in which the node answered neither RPC nor a handshake
// for as long as the patience, or did not move its tip for so long although
// blocks were offered. RPC means getpeerinfo, which a node's own loops have to
// answer.
func Stalls(samples []Sample, patience time.Duration) (stalls []Stall) {
	most := patience.Seconds()
	open := false
	for _, s := range samples {
		mute := min(s.PeerInfo.Silent, s.Handshake.Silent)
		why, since := "", 0.0
		switch {
		case mute >= most && s.Behind >= most:
			why, since = "no answer to RPC, no handshake, and the tip does not move", max(mute, s.Behind)
		case s.Behind >= most:
			why, since = "the tip does not move although blocks are offered", s.Behind
			if s.PeerInfo.Silent >= most {
				why += ", and RPC does not answer"
				since = max(since, s.PeerInfo.Silent)
			}
		case mute >= most:
			why, since = "no answer to RPC and no handshake", mute
		}
		switch {
		case why == "":
			if open {
				last := &stalls[len(stalls)-1]
				last.Until, last.Ended, open = s.At, true, false
			}
		case open:
			stalls[len(stalls)-1].Why = why
		default:
			open = true
			stalls = append(stalls, Stall{From: max(0, s.At-since), Why: why})
		}
	}
	return stalls
}
