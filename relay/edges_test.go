package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// What a peer has shown to have, or was given, it has. So the next block is announced
// to it by its header.
func TestWhoeverHasTheParentGetsTheHeader(t *testing.T) {
	for name, shows := range map[string]func(*steptest.Rig, chain.BlockConnected){
		"it sent us the parent": func(r *steptest.Rig, parent chain.BlockConnected) {
			parent.Source = alice
			r.Give(parent)
		},
		"it announced the parent": func(r *steptest.Rig, parent chain.BlockConnected) {
			r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{parent.Hash}})
			r.Give(parent)
		},
		"its getheaders begins with the parent": func(r *steptest.Rig, parent chain.BlockConnected) {
			r.Give(peer.HeadersWanted{Peer: alice, Locator: []*chainhash.Hash{&parent.Hash, &genesis.Hash}})
			_, ask := steptest.WantAsk[chain.GetHeaders](r, "chain knows")
			r.Reply(ask, chain.Headers{})
			r.Reply(wantHeaders(t, r, alice, "nothing more"), peer.Sent{})
			r.Give(parent)
		},
		"its getblocks begins with the parent": func(r *steptest.Rig, parent chain.BlockConnected) {
			r.Give(peer.BlocksWanted{Peer: alice, Locator: []*chainhash.Hash{&parent.Hash, &genesis.Hash}})
			_, ask := steptest.WantAsk[chain.GetHashes](r, "chain knows")
			r.Reply(ask, chain.Hashes{})
			r.Give(parent)
		},
		"it was given the parent": func(r *steptest.Rig, parent chain.BlockConnected) {
			r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: wire.InvTypeBlock, Hash: parent.Hash}}})
			_, ask := steptest.WantAsk[chain.GetBlock](r, "it wants the block")
			r.Reply(ask, chain.Block{Hash: parent.Hash, Payload: []byte("parent")})
			r.Reply(wantBlock(t, r, alice, "it is served", "parent"), peer.Sent{})
			r.Give(parent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, alice)
			r.Give(peer.WantsHeaders{Peer: alice})
			b := grow(r, genesis, 2, 0)
			shows(r, b[0])
			round(r)
			r.WantNothing("it knows the parent")
			r.Give(b[1])
			round(r)
			wantHeaders(t, r, alice, "it can connect the child", b[1])
		})
	}
}

// A peer that has a block has its ancestors, also those that it was about to be told.
func TestADescendantInHandIsNewsNoMore(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(b[0])
	r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{b[1].Hash}})
	r.Give(b[1])
	round(r)
	r.WantNothing("alice had the second before we did")
}

// Blocks that come together go together, and rounds keep their distance. A Tick for
// something else is no round.
func TestRoundsKeepTheirDistance(t *testing.T) {
	r := newRig(t, alice)
	cfg := DefaultBounds()
	b := grow(r, genesis, 3, 0)
	r.Give(b[0])
	r.Advance(cfg.AnnounceDelay - 1)
	r.WantNothing("another block may come with it")
	r.Give(b[1])
	r.Advance(1)
	sent := wantInv(t, r, alice, "the delay counts from the first", b[1].Hash)
	r.Fail(sent, actor.ErrBusy)
	r.Give(b[2])
	r.Advance(cfg.RetryAfter - 1)
	r.WantNothing("the cell is busy")
	r.Advance(1)
	r.Reply(wantInv(t, r, alice, "once more", b[1].Hash), peer.Sent{})
	r.Reply(wantInv(t, r, alice, "its round has been due for long", b[2].Hash), peer.Sent{})

	more := grow(r, b[2], 1, 1)
	r.Give(more[0])
	r.Advance(cfg.AnnounceDelay)
	wantInv(t, r, alice, "the retry was no round, so the delay is all there is to wait for", more[0].Hash)
}

// A tip is news until it is a day old, to the second.
func TestTheAgeOfNews(t *testing.T) {
	age := DefaultBounds().MaxTipAge
	for _, c := range []struct {
		age  time.Duration
		news bool
	}{{age, true}, {age + 1, false}} {
		r := newRig(t, alice)
		b := grow(r, genesis, 2, 0)
		b[0].Time, b[1].Time = r.Now.Add(-c.age), r.Now.Add(-c.age)
		r.Give(b[0])
		round(r)
		if c.news {
			r.Reply(wantInv(t, r, alice, "a day old", b[0].Hash), peer.Sent{})
		}
		r.WantNothing("older")

		b[1].Time = r.Now.Add(-c.age) // the round took a moment
		r.Give(actor.Lagged{})
		_, ask := steptest.WantAsk[chain.GetTips](r, "what is the tip?")
		r.Reply(ask, chain.Tips{Block: b[1].Point})
		round(r)
		if c.news {
			wantInv(t, r, alice, "a day old", b[1].Hash)
		}
		r.WantNothing("older")
	}
}

// Which news can go as headers: the peer has the first one's parent, and each one is the
// parent of the next.
func TestNewsConnect(t *testing.T) {
	r := newRig(t)
	b := grow(r, genesis, 3, 0)
	item := func(b chain.BlockConnected) newBlock { return newBlock{b.Hash, &b.Header} }
	for _, c := range []struct {
		why  string
		news news
		want bool
	}{
		{"the parent is known", news{item(b[0])}, true},
		{"a chain on a known parent", news{item(b[0]), item(b[1]), item(b[2])}, true},
		{"the parent is not known", news{item(b[1])}, false},
		{"a gap", news{item(b[0]), item(b[2])}, false},
		{"a hash alone, first", news{{hash: b[0].Hash}}, false},
		{"a hash alone, later", news{item(b[0]), {hash: b[1].Hash}}, false},
	} {
		k := newKnown(4)
		k.add(genesis.Hash, true)
		if got := c.news.connect(&k); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

// After a failure the tip is asked for again, one RetryAfter later. A tip that the
// stream brings in the meantime is newer than the answer to an old question.
func TestTheTipIsAskedForUntilItIsKnown(t *testing.T) {
	r := newRig(t, alice)
	retry := DefaultBounds().RetryAfter
	b := grow(r, genesis, 1, 0)
	r.Give(actor.Lagged{})
	for range 3 {
		_, ask := steptest.WantAsk[chain.GetTips](r, "the tip is not known")
		r.Fail(ask, actor.ErrBusy)
		r.Advance(retry - 1)
		r.WantNothing("chain is busy")
		r.Advance(1)
	}
	_, old := steptest.WantAsk[chain.GetTips](r, "once more")
	r.Fail(old, actor.ErrBusy)
	r.Give(chain.Tips{Block: genesis.Point})
	round(r)
	r.WantNothing("the published tip is no answer: it says nothing of what was missed")
	r.Advance(retry)
	_, old = steptest.WantAsk[chain.GetTips](r, "once more")
	r.Give(actor.Lagged{})
	r.WantNothing("the port has one slot")
	r.Reply(old, chain.Tips{Block: genesis.Point})
	_, ask := steptest.WantAsk[chain.GetTips](r, "that answer may be older than what was missed")
	r.Reply(ask, chain.Tips{Block: b[0].Point})
	round(r)
	wantInv(t, r, alice, "this one is not", b[0].Hash)
	if tip := r.M.(*Machine).tip; tip != b[0].Point {
		t.Errorf("the tip is %v, want the answer's", tip)
	}
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
