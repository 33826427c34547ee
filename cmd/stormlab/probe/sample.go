// Package probe looks at a node from outside, once a second: how long it takes
// to answer, whether its tip moves, what it uses. It needs nothing of the node
// that any client could not have, so it sees both programs with the same eyes.
package probe

import "time"

// Answer is what one way of asking the node has come to.
type Answer struct {
	// Took is the time of the last answer, or how long the question that is
	// open now has waited, in seconds.
	Took float64 `json:"took"`
	// OK says that the last question has been answered.
	OK bool `json:"ok"`
	// Silent is for how long nothing has been answered, in seconds; zero when OK.
	Silent float64 `json:"silent"`
	// Note is what the node said if that was no: "refused", an error.
	Note string `json:"note,omitempty"`
}

// Sample is what is known at one second.
type Sample struct {
	At         float64 `json:"at"` // seconds since the storm began
	BlockCount Answer  `json:"getblockcount"`
	PeerInfo   Answer  `json:"getpeerinfo"`
	Handshake  Answer  `json:"handshake"` // with a ping and its pong
	Height     int32   `json:"height"`    // the last that the node has told
	Offered    int32   `json:"offered"`   // the height of the honest chain
	Behind     float64 `json:"behind"`    // seconds since the tip moved or was the one offered
	Goroutines int     `json:"goroutines"`
	RSS        int64   `json:"rss"` // bytes
	Peers      int     `json:"peers"`
	CPU        float64 `json:"cpu"` // seconds of processor time since the process began; zero: not known
}

// Stall is a time in which the node did not do what it is for.
type Stall struct {
	From  float64 `json:"from"`  // seconds since the storm began: when the silence began
	Until float64 `json:"until"` // when it ended; if Ended
	Ended bool    `json:"ended"`
	Why   string  `json:"why"`
}

// Stalls finds them: neither RPC nor a handshake was answered for as long as
// the patience, or the tip did not move for so long although blocks were
// offered. RPC is getpeerinfo, which a node's own loops have to answer.
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
