package rpc

import (
	"strconv"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// pollID is what a miner knows: the best block, and the pool as it was.
type pollID struct {
	tip      chainhash.Hash
	sequence uint64
}

// String is the id as Core writes it.
func (p pollID) String() string { return p.tip.String() + strconv.FormatUint(p.sequence, 10) }

// parsePollID reads an id that a template had. As in Core, one that is no string stands
// for what is now.
func parsePollID(a arguments, i int) (*pollID, error) {
	if kind(a[i]) != text {
		return &pollID{}, nil
	}
	id := a.text(i)
	at := min(len(id), chainhash.MaxHashStringSize)
	tip, err := parseHash(id[:at], "longpollid")
	if err != nil {
		return nil, err
	}
	sequence, _ := strconv.ParseUint(id[at:], 10, 64) // as in Core, nonsense is 0
	return &pollID{tip, sequence}, nil
}

const (
	// pollShare is which part of the handlers may wait for news: the others must be
	// left for commands that get their answer at once.
	pollShare = 2
	// pollEvery is how often a handler that waits asks for the best block. A new
	// block takes longer from one miner to the next, and the question costs a few
	// microseconds.
	pollEvery = 200 * time.Millisecond
	// pollTxs is after which time other transactions are news: Core's minute. Each
	// template costs the miners work.
	pollTxs = time.Minute
)

// awaitNews waits until the best block is another than the miner knows, or pollTxs has
// passed and the pool has changed.
//
// correctness: waits for the clock, with its handler's asker. ctx ends the wait: the
// client has gone, or the node stops. Half of the handlers can wait here at most.
func awaitNews(c *call, known pollID) error {
	select {
	case c.polls <- struct{}{}:
		defer func() { <-c.polls }()
	default:
		return fail(codeMisc, "%d long polls wait already; ask without longpollid", cap(c.polls))
	}
	if known == (pollID{}) {
		now, err := news(c)
		if err != nil {
			return err
		}
		known = now
	}
	every := time.NewTicker(pollEvery)
	defer every.Stop()
	for begun := c.now(); ; {
		now, err := news(c)
		switch {
		case c.ctx.Err() != nil:
			return fail(codeNotRunning, "Shutting down")
		case err != nil:
			return err
		case now.tip != known.tip:
			return nil
		case now.sequence != known.sequence && c.now().Sub(begun) >= pollTxs:
			return nil
		}
		select {
		case <-every.C:
		case <-c.ctx.Done():
		}
	}
}

// news asks for the best block and the pool's sequence.
func news(c *call) (pollID, error) {
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	if err != nil {
		return pollID{}, err
	}
	pool, err := ask(c, c.Ports.PoolInfo, chain.GetPoolInfo{})
	return pollID{tips.Block.Hash, pool.Sequence}, err
}
