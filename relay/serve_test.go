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

func TestRepeatedGetheadersAreBounded(t *testing.T) {
	r := newRig(t, alice)
	for i := range 1000 {
		r.Give(peer.HeadersWanted{Peer: alice, Stop: number(i)})
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

func TestReadsTakeTurns(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 3)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id})
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 3)})
	}
	var order []actor.ID
	for range 9 {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "a read")
		r.Reply(ask, chain.Block{Payload: []byte("x")})
		_, sent := steptest.WantAsk[peer.Send](r, "its block")
		order = append(order, sent.To)
		r.Reply(sent, peer.Sent{})
	}
	for i, id := range order {
		if want := []actor.ID{alice, bob, carol}[i%3]; id != want {
			t.Fatalf("read %d was %v's, want %v's: %v", i, id, want, order)
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

func TestNewsPassBlocks(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "a block")
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	news := wantInv(t, r, alice, "the read is under way, so the news go first", b[0].Hash)
	r.Reply(read, chain.Block{Payload: []byte("0")})
	r.WantNothing("one Send at a time")
	r.Reply(news, peer.Sent{})
	wantBlock(t, r, alice, "then the block", "0")
}

func TestL2FailedReads(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	for i, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "the first block")
		r.Fail(ask, err)
		if i < 2 {
			r.WantNothing("not at once")
			r.Advance(time.Second)
		}
	}
	_, ask := steptest.WantAsk[chain.GetBlock](r, "three times is enough: the second block")
	r.Reply(ask, chain.Block{Payload: []byte("1")})
	r.Reply(wantBlock(t, r, alice, "the second block", "1"), peer.Sent{})
	wantNotFound(t, r, "the first one", number(0))
}

func TestL2FailedSends(t *testing.T) {
	r := newRig(t, alice, bob, carol)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.HeadersWanted{Peer: id})
		_, ask := steptest.WantAsk[chain.GetHeaders](r, "headers")
		r.Reply(ask, chain.Headers{})
	}
	toAlice := wantHeaders(t, r, alice, "alice")
	toBob := wantHeaders(t, r, bob, "bob")
	toCarol := wantHeaders(t, r, carol, "carol")
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 1)})
	}

	r.Fail(toAlice, actor.ErrBusy)
	r.Advance(DefaultBounds().RetryAfter - 1)
	r.WantNothing("not at once")
	r.Advance(1)
	r.Reply(wantHeaders(t, r, alice, "the same message again"), peer.Sent{})
	steptest.WantAsk[chain.GetBlock](r, "and on it goes")

	r.Fail(toBob, actor.ErrTimeout)
	if end := r.WantEnd(bob, "a peer that takes nothing is let go"); end.Reason == "" || end.Fault {
		t.Errorf("%+v: there must be a reason, and slowness is no fault", end)
	}
	r.Fail(toCarol, actor.ErrGone)
	r.WantEnd(carol, "its cell has gone, and the order does no harm")
	r.Give(peer.Gone{Peer: carol})
	r.Give(peer.Gone{Peer: bob})
	r.WantNothing("the others are gone")
	if s := status(r); s.Peers != 1 {
		t.Errorf("%d peers", s.Peers)
	}
}

func TestL7GoneInTheMiddle(t *testing.T) {
	r := newRig(t, alice, bob)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "alice's block")
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	sent := wantInv(t, r, alice, "news", b[0].Hash)
	wantInv(t, r, bob, "news", b[0].Hash)
	r.Give(peer.Gone{Peer: alice})
	r.Reply(read, chain.Block{Payload: []byte("0")})
	r.Fail(sent, actor.ErrGone)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	round(r)
	r.WantNothing("nothing is done for a peer that is gone")
}

func TestL9ASendThatFoundNoSlot(t *testing.T) {
	m, specs := connect(DefaultBounds(), 1)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.Ready{Peer: bob})
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	sent := wantInv(t, r, alice, "the only slot", b[0].Hash)
	r.Advance(3 * time.Second)
	r.WantNothing("bob waits")
	r.Fail(sent, actor.ErrTimeout)
	r.WantEnd(alice, "she does not take what she asked for")
	r.Advance(time.Hour)
	r.WantNothing("her cell still owes the answer")
	r.Late(sent)
	wantInv(t, r, bob, "bob, at once", b[0].Hash)
	if m.starved {
		t.Error("everything found a slot, and Check still excuses what waits")
	}
}

func TestL9AReadThatFoundNoSlot(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 2)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob} {
		r.Give(peer.Ready{Peer: id})
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 1)})
	}
	_, read := steptest.WantAsk[chain.GetBlock](r, "alice's block")
	r.Fail(read, actor.ErrTimeout)
	r.Advance(time.Minute)
	r.WantNothing("the reader still owes the answer, and holds the only slot")
	if at := m.Deadline(); !at.IsZero() {
		t.Errorf("a clock runs, to %v, though time gives no slot", at)
	}
	r.Late(read)
	_, read = steptest.WantAsk[chain.GetBlock](r, "the slot is used at once")
	r.Reply(read, chain.Block{Payload: []byte("block")})
	_, sent := steptest.WantAsk[peer.Send](r, "the block")
	r.Reply(sent, peer.Sent{})
	_, read = steptest.WantAsk[chain.GetBlock](r, "then the other's")
	r.Reply(read, chain.Block{Payload: []byte("block")})
	steptest.WantAsk[peer.Send](r, "the block")
}

func TestStop(t *testing.T) {
	r := newRig(t, alice)
	r.Give(actor.Stop{})
	r.WantFinish("there is nothing to bring in order")
}

// A failure counts against the read at hand alone.
func TestFailuresDoNotAddUpOverReads(t *testing.T) {
	r := newRig(t, alice)
	cfg := DefaultBounds()
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	for i := range 2 {
		for range cfg.ReadAttempts - 1 {
			_, ask := steptest.WantAsk[chain.GetBlock](r, "a try")
			r.Fail(ask, actor.ErrBusy)
			r.WantNothing("a busy reader is left alone")
			r.Advance(cfg.RetryAfter)
		}
		_, ask := steptest.WantAsk[chain.GetBlock](r, "the last try")
		r.Reply(ask, chain.Block{Hash: number(i), Payload: []byte("block")})
		r.Reply(wantBlock(t, r, alice, "it could be read", "block"), peer.Sent{})
	}
	for range cfg.ReadAttempts {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "a try")
		r.Fail(ask, actor.ErrBusy)
		r.Advance(cfg.RetryAfter)
	}
	r.Reply(wantNotFound(t, r, "the reader is not merely busy", number(2)), peer.Sent{})
	if s := status(r); s.BlocksServed != 2 || s.NotFound != 1 {
		t.Errorf("%d served, %d not found", s.BlocksServed, s.NotFound)
	}
}

// An empty headers message says "you have everything". After reads that failed nobody
// knows that, so nothing is said.
func TestAGetheadersThatCannotBeReadIsNotAnswered(t *testing.T) {
	r := newRig(t, alice)
	cfg := DefaultBounds()
	r.Give(peer.HeadersWanted{Peer: alice})
	for range cfg.ReadAttempts {
		_, ask := steptest.WantAsk[chain.GetHeaders](r, "a try")
		r.Fail(ask, actor.ErrBusy)
		r.Advance(cfg.RetryAfter)
	}
	r.WantNothing("silence")
	b := grow(r, genesis, 2, 0)
	r.Give(peer.HeadersWanted{Peer: alice})
	_, ask := steptest.WantAsk[chain.GetHeaders](r, "the next one is read")
	r.Reply(ask, chain.Headers{Headers: []*wire.BlockHeader{&b[0].Header, &b[1].Header}})
	r.Reply(wantHeaders(t, r, alice, "and answered", b...), peer.Sent{})
	if s := status(r); s.HeadersServed != 2 {
		t.Errorf("%d headers served", s.HeadersServed)
	}
}

// A block that was read while its peer was busy waits. It is the only one, and what is
// more urgent goes before it.
func TestABlockInHandWaitsForItsTurn(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the first block")
	r.Give(b[0])
	round(r)
	first := wantInv(t, r, alice, "news do not wait for the disk", b[0].Hash)
	r.Reply(read, chain.Block{Hash: number(0), Payload: []byte("block")})
	r.WantNothing("one message at a time, and one block in memory")
	r.Give(b[1])
	round(r)
	r.WantNothing("one message at a time")
	r.Reply(first, peer.Sent{})
	second := wantInv(t, r, alice, "news go before blocks", b[1].Hash)
	r.WantNothing("the block waits, so the next one is not read")
	r.Reply(second, peer.Sent{})
	r.Reply(wantBlock(t, r, alice, "now the block", "block"), peer.Sent{})
	steptest.WantAsk[chain.GetBlock](r, "and the next one is read")
}

// The answer to a getheaders goes before news: it is small, and the peer waits for it.
func TestAnAnswerGoesBeforeNews(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(peer.HeadersWanted{Peer: alice})
	_, read := steptest.WantAsk[chain.GetHeaders](r, "chain knows")
	r.Give(b[0])
	round(r)
	first := wantInv(t, r, alice, "news do not wait for the disk", b[0].Hash)
	r.Reply(read, chain.Headers{})
	r.Give(b[1])
	round(r)
	r.Reply(first, peer.Sent{})
	r.Reply(wantHeaders(t, r, alice, "the answer first"), peer.Sent{})
	wantInv(t, r, alice, "then the news", b[1].Hash)
}

// With one read at a time, peers take turns, however much each of them wants.
func TestOneReadAtATimeInTurn(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id})
	}
	for i, id := range []actor.ID{bob, alice, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 10*i, 2)})
	}
	for _, want := range []actor.ID{bob, carol, alice, bob, carol, alice} {
		q, ask := steptest.WantAsk[chain.GetBlock](r, "the next read")
		r.Reply(ask, chain.Block{Hash: q.Hash, Payload: []byte("block")})
		r.Reply(wantBlock(t, r, want, "whose turn it is", "block"), peer.Sent{})
	}
	r.WantNothing("all are served")

	for i, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 10*i, 2)})
	}
	for _, want := range []int{0, 10, 20, 1, 11, 21} {
		q, ask := steptest.WantAsk[chain.GetBlock](r, "the next read")
		if q.Hash != number(want) {
			t.Errorf("read %v, want %v: a peer whose blocks are not there has its turn like others", q.Hash, number(want))
		}
		r.Reply(ask, chain.Block{Hash: q.Hash})
	}
	if m.starved {
		t.Error("relay believes that it waits for a slot")
	}
}

// A stop comes in a batch with the answer that frees a slot. Nothing more is sent.
func TestNothingIsSentAfterStop(t *testing.T) {
	m, specs := connect(DefaultBounds(), 1)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob} {
		r.Give(peer.Ready{Peer: id})
	}
	r.Give(grow(r, genesis, 1, 0)[0])
	round(r)
	_, sent := steptest.WantAsk[peer.Send](r, "one of them is told")
	r.WantNothing("the other one waits for the slot")
	r.StopBeside(sent, peer.Sent{})
	r.WantFinish("it stops")
	r.WantNothing("the slot is free, and nobody is told")
}

// The reads find no slot, since those that timed out are still owed. The question for
// the tip has a slot of its own, and does not hide that the others wait.
func TestAReadThatWaitsIsNotForgottenBesideTheTip(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the block")
	r.Fail(read, actor.ErrTimeout)
	r.Advance(cfg.RetryAfter)
	r.WantNothing("its slot is taken until the reader has answered")
	r.Give(actor.Lagged{})
	steptest.WantAsk[chain.GetTips](r, "the tip's slot is free")
	r.Late(read)
	steptest.WantAsk[chain.GetBlock](r, "Freed brings the next chance")
}
