package engine

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// A block that has just left the best chain is still served: peers that were told of it may
// ask for it. Others of side branches are not. Their scripts were never run, and whether a
// node has an old one tells who it is (Bitcoin Core's BlockRequestAllowed).

const (
	// maxLeft is how many blocks are remembered that have left the best chain.
	maxLeft = 1000
	// staleAge is how long such a block is served (Core's STALE_RELAY_AGE_LIMIT).
	staleAge = 30 * 24 * time.Hour
)

// left remembers the blocks that left the best chain last. They may be back.
type left struct {
	order []chainhash.Hash // the oldest first
	at    map[chainhash.Hash]chain.Point
}

func (l *left) add(p chain.Point) {
	if l.at == nil {
		l.at = map[chainhash.Hash]chain.Point{}
	}
	if _, known := l.at[p.Hash]; known {
		return
	}
	if len(l.order) == maxLeft {
		delete(l.at, l.order[0])
		l.order = l.order[1:]
	}
	l.order = append(l.order, p.Hash)
	l.at[p.Hash] = p
}

// servable returns the height of a block that peers may have: it is part of the best chain,
// or was until lately.
func (e *Engine) servable(hash *chainhash.Hash) (height int32, ok bool) {
	if height, err := e.chain.BlockHeightByHash(hash); err == nil {
		return height, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p, known := e.left.at[*hash]
	return p.Height, known && e.tips.Header.Time.Sub(p.Time) < staleAge
}
