package relay

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// known is a bounded set of blocks that a peer knows. It forgets the oldest one
// first. The value says whether the peer has the header: it is false if the peer
// was only told the hash by an inv of ours.
type known struct {
	has  map[chainhash.Hash]bool
	ring []chainhash.Hash // the members, in a circle
	next int              // the index in ring that is overwritten next
	max  int
}

func newKnown(max int) known { return known{has: map[chainhash.Hash]bool{}, max: max} }

func (k *known) contains(h chainhash.Hash) bool  { _, ok := k.has[h]; return ok }
func (k *known) hasHeader(h chainhash.Hash) bool { return k.has[h] }

func (k *known) add(h chainhash.Hash, header bool) {
	if old, ok := k.has[h]; ok {
		k.has[h] = old || header
		return
	}
	if len(k.ring) < k.max {
		k.ring = append(k.ring, h)
	} else {
		delete(k.has, k.ring[k.next])
		k.ring[k.next] = h
		k.next = (k.next + 1) % k.max
	}
	k.has[h] = header
}

func (k *known) check() error {
	if len(k.ring) != len(k.has) || len(k.ring) > k.max {
		return fmt.Errorf("%d known blocks, %d in the ring", len(k.has), len(k.ring))
	}
	return nil
}
