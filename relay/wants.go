package relay

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// wants is what a peer has asked for and not got.
type wants struct {
	headers []peer.HeadersWanted // at most MaxLocators
	hashes  []peer.BlocksWanted  // at most MaxLocators

	// Of getdata: the items that are still to be served, in the order asked; how
	// many of them belong to each message; and what was not found of the first
	// message. Items and missed are at most MaxWanted together.
	items  fifo[want]
	runs   fifo[int32]
	missed fifo[want]
	batch  int // how many items at the head the read under way is about

	// continueAt is the last hash of a full inv that answered a getblocks. Once
	// that block is served, continued asks for an inv of the tip, which makes the
	// peer ask getblocks again.
	continueAt chainhash.Hash
	continued  bool

	failures int // of the read at the head of its list, in a row
}

// want is an item of getdata in 33 bytes. There may be very many.
type want struct {
	hash chainhash.Hash
	what uint8 // the type in seven bits, and in the eighth whether it is with witness data
}

const witnessBit = 0x80

// packed returns an item in the form in which it is kept. Types that do not fit are of no
// kind that exists; like Bitcoin Core we do not answer them.
func packed(v wire.InvVect) (w want, ok bool) {
	plain := v.Type &^ wire.InvWitnessFlag
	w = want{v.Hash, uint8(plain)}
	if v.Type != plain {
		w.what |= witnessBit
	}
	return w, plain < witnessBit
}

func (w *want) invType() wire.InvType {
	t := wire.InvType(w.what &^ witnessBit)
	if w.what&witnessBit != 0 {
		t |= wire.InvWitnessFlag
	}
	return t
}

// readKind is a question to the readers on behalf of a peer.
type readKind uint8

const (
	noRead readKind = iota
	readHeaders
	readHashes
	readBlock
	readTxs
)

// next is the read to begin. Headers and hashes come first: they are small, and a
// peer that asks for them by the thousand delays only its own items.
func (w *wants) next() readKind {
	switch {
	case len(w.headers) > 0:
		return readHeaders
	case len(w.hashes) > 0:
		return readHashes
	case w.runs.n > 0 && *w.runs.head() > 0:
		return kinds[kindOf(w.items.head())].read
	}
	return noRead
}

// getdata adds the items of a getdata. It returns false, and adds none, if there
// would be more than max.
func (w *wants) getdata(items []wire.InvVect, max int) bool {
	if w.items.n+w.missed.n+len(items) > max {
		return false
	}
	before := w.items.n
	for _, v := range items {
		if x, ok := packed(v); ok {
			w.items.push(x)
		}
	}
	if n := w.items.n - before; n > 0 {
		w.runs.push(int32(n))
	}
	return true
}

// count is how many items wait, those that were not found included.
func (w *wants) count() int { return w.items.n + w.missed.n }

// take removes the item at the head.
func (w *wants) take() want {
	*w.runs.head()--
	return w.items.pop()
}

// miss notes that the item at the head is not found.
func (w *wants) miss() { w.missed.push(w.take()) }

// notFound misses the items at the head that are not served. At the end of a
// getdata it returns the message that says what was not found of it. It returns nil
// if there is nothing to say.
func (w *wants) notFound(served func(*want) bool) *message {
	for w.runs.n > 0 && w.batch == 0 {
		for *w.runs.head() > 0 && !served(w.items.head()) {
			w.miss()
		}
		if *w.runs.head() > 0 {
			return nil
		}
		w.runs.pop()
		if n := w.missed.n; n > 0 {
			// The items of a getdata fit a notfound, which has the same limit.
			list := make([]wire.InvVect, n)
			msg := &wire.MsgNotFound{InvList: make([]*wire.InvVect, n)}
			for i := range list {
				v := w.missed.pop()
				list[i] = wire.InvVect{Type: v.invType(), Hash: v.hash}
				msg.InvList[i] = &list[i]
			}
			return &message{send: peer.Send{Msgs: []wire.Message{msg}}, notFound: n}
		}
	}
	return nil
}

// served notes that a peer was given a block.
func (w *wants) served(h chainhash.Hash) {
	if h == w.continueAt {
		w.continueAt, w.continued = chainhash.Hash{}, true
	}
}

func (w *wants) check(maxItems, maxLocators int) error {
	sum := 0
	for _, c := range w.runs.chunks {
		for _, n := range c {
			sum += int(n)
		}
	}
	switch {
	case w.items.count() != w.items.n || w.missed.count() != w.missed.n || w.runs.count() != w.runs.n:
		return fmt.Errorf("a queue of items has lost count")
	case sum != w.items.n:
		return fmt.Errorf("%d items are wanted, the messages that asked for them have %d", w.items.n, sum)
	case w.items.n+w.missed.n > maxItems:
		return fmt.Errorf("%d items are wanted and %d not found, at most %d are kept", w.items.n, w.missed.n, maxItems)
	case w.runs.n > w.items.n+1: // only of the first message all may have been taken
		return fmt.Errorf("%d messages asked for %d items", w.runs.n, w.items.n)
	case w.missed.n > 0 && w.runs.n == 0:
		return fmt.Errorf("%d items were not found, and no message asked for them", w.missed.n)
	case w.batch < 0 || w.batch > w.items.n || w.batch > 0 && w.batch > int(*w.runs.head()):
		return fmt.Errorf("a read is about %d items, and %d wait", w.batch, w.items.n)
	case w.continued && w.runs.n == 0:
		return fmt.Errorf("an inv of the tip is owed, and no getdata has asked for the block before it")
	case len(w.headers) > maxLocators || len(w.hashes) > maxLocators:
		return fmt.Errorf("%d getheaders and %d getblocks wait", len(w.headers), len(w.hashes))
	}
	return nil
}
