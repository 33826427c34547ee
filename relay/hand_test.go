package relay

import (
	"math"
	"testing"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
)

// anOffered is the n-th transaction in hand.
func anOffered(n, memory int) offered { return offered{id: aPooledID(n), memory: memory} }

// What was asked for may fill all of the room. What nobody asked for has a quarter of it,
// and of that each peer its share.
func TestL4TheRoomInHandToTheByte(t *testing.T) {
	b := &Bounds{MaxHand: 1000, MaxHandOfPeer: 100}
	for _, c := range []struct {
		why       string
		held, own int // bytes: in all, and of the peer
		memory    int
		asked     bool
		want      bool
	}{
		{"asked for: the last byte", 600, 150, 400, true, true},
		{"asked for: a byte more than there is", 600, 150, 401, true, false},
		{"not asked for: the last byte of the quarter", 200, 20, 50, false, true},
		{"not asked for: a byte more than the quarter", 200, 20, 51, false, false},
		{"not asked for: the last byte of the peer's share", 100, 40, 60, false, true},
		{"not asked for: a byte more than the share", 100, 40, 61, false, false},
	} {
		h, p := hand{bytes: c.held}, &remote{got: got{bytes: c.own}}
		if got := h.room(c.memory, p, c.asked, b); got != c.want {
			t.Errorf("%s: room %v, want %v", c.why, got, c.want)
		}
	}
}

// Freed tells its question by the key alone. Zero is the key of questions that are about no
// peer, so no offer has it.
func TestTheKeysOfOffers(t *testing.T) {
	h, p := newHand(math.MaxUint32-2), &remote{id: alice}
	for _, want := range []uint64{math.MaxUint32 - 1, math.MaxUint32, 1, 2} {
		h.take(p, anOffered(1, 1))
		if _, key := h.next(p); key != want {
			t.Errorf("the key is %d, want %d", key, want)
		}
	}
}

// An offer ends once. A key that names none ends none: a dead relay's question may end in
// its successor.
func TestAnOfferEndsOnce(t *testing.T) {
	h, p := newHand(6), &remote{id: alice}
	h.take(p, anOffered(1, 30))
	h.take(p, anOffered(2, 500))
	h.next(p)
	o, key := h.next(p)
	if o != anOffered(2, 500) || h.last != alice {
		t.Errorf("%+v of %v is offered", o, h.last)
	}
	for _, unknown := range []uint64{0, key + 1} {
		if o, ok := h.ended(unknown); ok || o != (offer{}) {
			t.Errorf("key %d ends %+v", unknown, o)
		}
	}
	want := offer{key: key, peer: alice, id: aPooledID(2), memory: 500}
	if got, ok := h.ended(key); !ok || got != want {
		t.Errorf("ended %+v, %v, want %+v", got, ok, want)
	}
	if o, ok := h.ended(key); ok {
		t.Errorf("%+v ends again", o)
	}
	if h.bytes != 30 || len(h.offers) != 1 {
		t.Errorf("%d bytes and %d offers are left, want 30 and 1", h.bytes, len(h.offers))
	}
}

// Two transactions may have the same txid and differ in their witness data. The txid is in
// hand as long as one of them is, offered or not.
func TestATxIDOfTwoTransactions(t *testing.T) {
	h, p := newHand(6), &remote{id: alice}
	one := chain.TxID{TxID: number(1), WTxID: number(11)}
	two := chain.TxID{TxID: number(1), WTxID: number(12)}
	h.take(p, offered{id: one, memory: 1})
	h.take(p, offered{id: two, memory: 1})
	want := func(why string, txid, first, second bool) {
		t.Helper()
		if h.has(number(1)) != txid || h.has(number(11)) != first || h.has(number(12)) != second {
			t.Errorf("%s: has the txid %v, the first %v, the second %v", why, h.has(number(1)), h.has(number(11)), h.has(number(12)))
		}
	}
	want("both wait", true, true, true)
	_, first := h.next(p)
	_, second := h.next(p)
	want("both are offered", true, true, true)
	h.late(first)
	want("the first timed out", true, false, true)
	h.ended(second)
	want("the second was judged", false, false, false)
	if h.ended(first); h.bytes != 0 {
		t.Errorf("%d bytes are left", h.bytes)
	}
}

// What waited of a peer that is forgotten leaves nothing: no count, no name, and none of
// the memory that a long list needed.
func TestWhatIsForgottenLeavesTheHandEmpty(t *testing.T) {
	h := newHand(6)
	held := steptest.Heap(func() any {
		p := &remote{id: alice}
		for n := range 10_000 {
			h.take(p, anOffered(n, 3))
		}
		h.forget(p)
		if h.bytes != 0 || h.waiting != 0 || p.got.bytes != 0 || len(h.names) != 0 {
			t.Errorf("%d bytes, %d wait, %d of the peer, %d names", h.bytes, h.waiting, p.got.bytes, len(h.names))
		}
		return &h
	})
	if held > 100_000 {
		t.Errorf("%d bytes of memory are kept", held)
	}
}
