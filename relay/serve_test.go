package relay

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func number(i int) (h chainhash.Hash) {
	binary.BigEndian.PutUint32(h[:], uint32(i))
	h[31] = 1
	return h
}

func items(t wire.InvType, from, n int) []wire.InvVect {
	list := make([]wire.InvVect, n)
	for i := range list {
		list[i] = wire.InvVect{Type: t, Hash: number(from + i)}
	}
	return list
}

// wantBlock takes the next Send; it must be one block of this payload.
func wantBlock(t *testing.T, r *steptest.Rig, to actor.ID, why, payload string) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	if asked.To != to || len(send.Msgs) != 0 || len(send.Payloads) != 1 || string(send.Payloads[0]) != payload {
		t.Fatalf("%s: %d messages and %q to %v, want block %q to %v", why, len(send.Msgs), send.Payloads, asked.To, payload, to)
	}
	return asked
}

func TestHeadersAreServed(t *testing.T) {
	r := newRig(t, alice)
	start := genesis.Hash
	r.Give(peer.HeadersWanted{Peer: alice, Locator: []*chainhash.Hash{&start}, Stop: number(5)})
	q, ask := steptest.WantAsk[chain.GetHeaders](r, "chain knows")
	if len(q.Locator) != 1 || *q.Locator[0] != start || q.Stop != number(5) {
		t.Errorf("asked with %v, stop %v", q.Locator, q.Stop)
	}
	r.Reply(ask, chain.Headers{})
	wantHeaders(t, r, alice, "there is nothing, and that is said")
}

// A question for one header has no locator. Nothing is said of a block that we do not show,
// not even that we have not got it.
func TestAQuestionForOneHeader(t *testing.T) {
	for _, known := range []bool{true, false} {
		r := newRig(t)
		r.Give(peer.Ready{Peer: alice})
		r.Give(peer.HeadersWanted{Peer: alice, Stop: number(7)})
		_, seq := steptest.WantAsk[chain.GetHeaders](r, "it is looked up")
		if !known {
			r.Reply(seq, chain.Headers{})
			r.WantNothing("silence")
			continue
		}
		r.Reply(seq, chain.Headers{Headers: []*wire.BlockHeader{{Nonce: 7}}})
		if q, _ := steptest.WantAsk[peer.Send](r, "its header"); len(q.Msgs[0].(*wire.MsgHeaders).Headers) != 1 {
			t.Errorf("sent %+v", q.Msgs)
		}
	}
}

func TestRepeatedGetheadersAreBounded(t *testing.T) {
	r := newRig(t, alice)
	for i := range 1000 {
		r.Give(peer.HeadersWanted{Peer: alice, Locator: []*chainhash.Hash{&genesis.Hash}, Stop: number(i)})
	}
	_, ask := steptest.WantAsk[chain.GetHeaders](r, "the first")
	r.Reply(ask, chain.Headers{})
	r.Reply(wantHeaders(t, r, alice, "its answer"), peer.Sent{})
	q, ask := steptest.WantAsk[chain.GetHeaders](r, "the newest")
	if q.Stop != number(999) {
		t.Errorf("the second is not the newest but %v", q.Stop)
	}
	r.Reply(ask, chain.Headers{})
	r.Reply(wantHeaders(t, r, alice, "its answer"), peer.Sent{})
	r.WantNothing("the others were replaced")
}

func TestRepeatedGetblocksAreBounded(t *testing.T) {
	r := newRig(t, alice)
	for i := range 1000 {
		r.Give(peer.BlocksWanted{Peer: alice, Stop: number(i)})
	}
	for _, want := range []int{0, 999} {
		q, ask := steptest.WantAsk[chain.GetHashes](r, "the first, then the newest")
		if q.Stop != number(want) {
			t.Errorf("read up to %v, want %v", q.Stop, number(want))
		}
		r.Reply(ask, chain.Hashes{})
	}
	r.WantNothing("the others were replaced")
}

func TestBlocksInTheOrderAsked(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{
		{Type: wire.InvTypeWitnessBlock, Hash: number(1)},
		{Type: wire.InvTypeTx, Hash: number(2)},
		{Type: wire.InvTypeBlock, Hash: number(3)},
		{Type: wire.InvTypeFilteredBlock, Hash: number(4)},
		{Type: wire.InvTypeBlock, Hash: number(5)},
	}})
	q, ask := steptest.WantAsk[chain.GetBlock](r, "the first block")
	if q.Hash != number(1) || !q.Witness {
		t.Errorf("asked %+v", q)
	}
	r.WantNothing("one at a time")
	r.Reply(ask, chain.Block{Payload: []byte("one")})
	sent := wantBlock(t, r, alice, "the first block", "one")
	r.WantNothing("the next one is not read before this one is taken")
	r.Reply(sent, peer.Sent{})

	q, ask = steptest.WantAsk[chain.GetBlock](r, "the second block")
	if q.Hash != number(3) || q.Witness {
		t.Errorf("asked %+v", q)
	}
	r.Reply(ask, chain.Block{})
	_, ask = steptest.WantAsk[chain.GetBlock](r, "there is no such block: on to the next")
	r.Reply(ask, chain.Block{Payload: []byte("five")})
	r.Reply(wantBlock(t, r, alice, "the third block", "five"), peer.Sent{})
	r.Reply(wantNotFound(t, r, "what was missing, once at the end", number(2), number(3), number(4)), peer.Sent{})
	r.WantNothing("done")
	if s := status(r); s.BlocksServed != 2 || s.NotFound != 3 {
		t.Errorf("%+v", s)
	}
}

// A peer that asks for 3,900 blocks and never reads holds one block, and the others
// are served as if it were not there. A hundred such peers do not take the slots for
// reads either.
func TestL5NonReader(t *testing.T) {
	cfg := DefaultBounds()
	m, specs := connect(cfg, 128)
	r := steptest.New(t, m, specs)
	for i := range 101 {
		r.Give(peer.Ready{Peer: alice + actor.ID(i)})
	}
	reader := alice + 100
	for i := range 100 {
		r.Give(peer.DataWanted{Peer: alice + actor.ID(i), Items: items(wire.InvTypeWitnessBlock, 0, 3_900)})
		if n := len(r.Pending()); n > cfg.MaxReads {
			t.Fatalf("%d reads at once", n)
		}
	}
	r.Give(peer.DataWanted{Peer: reader, Items: items(wire.InvTypeWitnessBlock, 0, 50)})

	served := 0
	for range 1000 {
		if len(r.Pending()) == 0 {
			break
		}
		e := r.Pending()[0]
		if _, ok := e.Body.(chain.GetBlock); ok {
			_, ask := steptest.WantAsk[chain.GetBlock](r, "a read")
			r.Reply(ask, chain.Block{Payload: []byte("block")})
			continue
		}
		_, ask := steptest.WantAsk[peer.Send](r, "a block")
		if ask.To == reader {
			served++
			r.Reply(ask, peer.Sent{})
		}
	}
	if served != 50 {
		t.Errorf("%d of 50 blocks were served to the peer that reads", served)
	}
	for _, p := range m.peers {
		if p.id != reader && (p.held != nil || p.read != noRead || len(p.out.send.Payloads) != 1) {
			t.Errorf("peer %v holds more than one block", p.id)
		}
	}
}

func TestTooManyItems(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 30_000)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the first block")
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 20_001)})
	if end := r.WantEnd(alice, "50,001 items"); end.Reason == "" || end.Fault {
		t.Errorf("%+v: there must be a reason, and greed is no fault", end)
	}
	r.Reply(read, chain.Block{Payload: []byte("late")})
	r.Advance(time.Minute)
	r.WantNothing("nothing is sent to a peer that is leaving, and one order is enough")
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
	r.Give(peer.Gone{Peer: alice})
	r.WantNothing("gone")
}

func TestOnlyTransactions(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeWitnessTx, 0, 3)})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, 7, 1)})
	r.Reply(wantNotFound(t, r, "there are no transactions", number(0), number(1), number(2)), peer.Sent{})
	r.Reply(wantNotFound(t, r, "each getdata has its own answer", number(7)), peer.Sent{})
	r.WantNothing("done")
}

func TestGetblocksGoesOn(t *testing.T) {
	r := newRig(t, alice)
	tip := number(777)
	r.Give(chain.Tips{Block: chain.Point{Hash: tip, Time: r.Now}})
	r.Give(peer.BlocksWanted{Peer: alice})
	_, ask := steptest.WantAsk[chain.GetHashes](r, "getblocks")
	var hashes []chainhash.Hash
	for i := range wire.MaxBlocksPerMsg {
		hashes = append(hashes, number(i))
	}
	r.Reply(ask, chain.Hashes{Hashes: hashes})
	r.Reply(wantInv(t, r, alice, "a full inv", hashes...), peer.Sent{})

	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 498, 2)})
	for _, payload := range []string{"498", "499"} {
		_, ask = steptest.WantAsk[chain.GetBlock](r, "a block")
		r.Reply(ask, chain.Block{Payload: []byte(payload)})
		r.Reply(wantBlock(t, r, alice, "a block", payload), peer.Sent{})
	}
	r.Reply(wantInv(t, r, alice, "after the last one the tip, so that she asks for more", tip), peer.Sent{})

	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 499, 1)})
	_, ask = steptest.WantAsk[chain.GetBlock](r, "the last one again")
	r.Reply(ask, chain.Block{Payload: []byte("499")})
	r.Reply(wantBlock(t, r, alice, "the last one again", "499"), peer.Sent{})
	r.WantNothing("once")

	r.Give(peer.BlocksWanted{Peer: alice})
	_, ask = steptest.WantAsk[chain.GetHashes](r, "getblocks at the tip")
	r.Reply(ask, chain.Hashes{})
	r.WantNothing("there is nothing to tell")
}
