package relay

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// hand is a tracker: the transactions that have come and that chain has not judged. Each
// peer has a list of those that wait (remote.got). Chain is offered the first ones of the
// lists in turn, so a peer that sends many delays its own.
type hand struct {
	bytes   int                    // of memory, of those that wait and those offered
	waiting int                    // on the lists of peers
	names   map[chainhash.Hash]int // by both names: how many transactions have the name
	offers  []offer                // what chain was offered and has not answered
	last    actor.ID               // the peer whose transaction was offered last
	key     uint32                 // of the last offer
}

// offered is a transaction that has come.
type offered struct {
	tx     *wire.MsgTx
	id     chain.TxID
	memory int
}

// offer is a transaction that chain was offered. After a timeout chain still has it: then
// it counts, and nothing else is done with it.
type offer struct {
	key    uint64
	peer   actor.ID // zero: it timed out
	id     chain.TxID
	memory int
}

// got is what has come of one peer and waits.
type got struct {
	list  fifo[offered]
	bytes int // of memory, those offered excepted
}

// newHand begins with a random key: what a dead relay has offered is not taken for what its
// successor offers.
func newHand(key uint32) hand { return hand{names: map[chainhash.Hash]int{}, key: key} }

// namesOf are the two names of a transaction.
func namesOf(id chain.TxID) [2]chainhash.Hash { return [...]chainhash.Hash{id.TxID, id.WTxID} }

func (h *hand) has(name chainhash.Hash) bool { return h.names[name] > 0 }

// room says whether a transaction can be kept. One that nobody asked for gets a quarter
// of the room, and of the share of its peer what is left. One that was asked for may fill
// it all.
func (h *hand) room(memory int, p *remote, asked bool, b *Bounds) bool {
	if asked {
		return h.bytes+memory <= b.MaxHand
	}
	return h.bytes+memory <= b.MaxHand/4 && p.got.bytes+memory <= b.MaxHandOfPeer
}

// take keeps a transaction of a peer.
func (h *hand) take(p *remote, o offered) {
	p.got.list.push(o)
	p.got.bytes += o.memory
	h.waiting++
	h.bytes += o.memory
	for _, name := range namesOf(o.id) {
		h.names[name]++
	}
}

// pop takes the first one off a peer's list. Its memory still counts.
func (h *hand) pop(p *remote) offered {
	o := p.got.list.pop()
	p.got.bytes -= o.memory
	h.waiting--
	return o
}

// next takes the first one off a peer's list, to be offered. The key names the offer.
func (h *hand) next(p *remote) (o offered, key uint64) {
	o = h.pop(p)
	h.last = p.id
	if h.key++; h.key == 0 {
		h.key++
	}
	key = uint64(h.key)
	h.offers = append(h.offers, offer{key, p.id, o.id, o.memory})
	return o, key
}

// ended returns what was offered with a key and is known no more. It is not there, or has
// no peer, if it timed out before.
func (h *hand) ended(key uint64) (o offer, ok bool) {
	for i, x := range h.offers {
		if x.key == key {
			h.offers = slices.Delete(h.offers, i, i+1)
			h.bytes -= x.memory
			if x.peer != 0 {
				h.unname(x.id)
			}
			return x, true
		}
	}
	return offer{}, false
}

// late notes that an offer timed out, which it does once. Its memory counts until its slot is free.
func (h *hand) late(key uint64) {
	for i := range h.offers {
		if x := &h.offers[i]; x.key == key {
			x.peer = 0
			h.unname(x.id)
		}
	}
}

func (h *hand) unname(id chain.TxID) {
	for _, name := range namesOf(id) {
		if h.names[name]--; h.names[name] <= 0 {
			delete(h.names, name)
		}
	}
	if len(h.names) == 0 {
		h.names = map[chainhash.Hash]int{} // a map that was large stays large
	}
}

// forget drops what waits of a peer.
func (h *hand) forget(p *remote) {
	for p.got.list.n > 0 {
		o := h.pop(p)
		h.bytes -= o.memory
		h.unname(o.id)
	}
}

func (h *hand) check(peers []*remote, b *Bounds) error {
	bytes, waiting, names := 0, 0, 0
	for _, p := range peers {
		own := 0
		for _, c := range p.got.list.chunks {
			for _, o := range c {
				own += o.memory
			}
		}
		if own != p.got.bytes || p.got.list.count() != p.got.list.n {
			return fmt.Errorf("of peer %v transactions of %d bytes wait, counted are %d", p.id, own, p.got.bytes)
		}
		waiting += p.got.list.n
		bytes += own
	}
	names = 2 * waiting
	for _, o := range h.offers {
		bytes += o.memory
		if o.peer != 0 {
			names += 2
		}
	}
	for _, n := range h.names { //tidy:order a sum
		names -= n
	}
	switch {
	case waiting != h.waiting || bytes != h.bytes:
		return fmt.Errorf("%d transactions wait and %d bytes are in hand, counted are %d and %d", waiting, bytes, h.waiting, h.bytes)
	case names != 0:
		return fmt.Errorf("the names of the transactions in hand are not theirs")
	case h.bytes > b.MaxHand:
		return fmt.Errorf("%d bytes of transactions are in hand, at most %d may be", h.bytes, b.MaxHand)
	}
	return nil
}
