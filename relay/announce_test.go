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

func TestInvOrHeaders(t *testing.T) {
	r := newRig(t, alice, bob, carol)
	b := grow(r, genesis, 3, 0)
	r.Give(peer.WantsHeaders{Peer: bob})
	r.Give(peer.WantsHeaders{Peer: carol})
	r.Give(peer.Announced{Peer: bob, Blocks: []chainhash.Hash{genesis.Hash}})

	r.Give(b[0])
	r.WantNothing("a moment is left for blocks that come together")
	round(r)
	toAlice := wantInv(t, r, alice, "alice did not ask for headers", b[0].Hash)
	toBob := wantHeaders(t, r, bob, "bob did, and has the parent", b[0])
	toCarol := wantInv(t, r, carol, "carol did, but could not connect it", b[0].Hash)
	r.Reply(toAlice, peer.Sent{})
	r.Reply(toBob, peer.Sent{})
	r.Reply(toCarol, peer.Sent{})

	r.Give(b[1])
	r.Give(b[2])
	round(r)
	wantInv(t, r, alice, "of several blocks only the tip is announced by inv", b[2].Hash)
	wantHeaders(t, r, bob, "the first connects to what was announced before, the second to the first", b[1], b[2])
	wantInv(t, r, carol, "she was told the parent's hash, which is not its header", b[2].Hash)
	r.WantNothing("each is told once")
	if s := status(r); s.Announced != 7 || s.Coalesced != 2 {
		t.Errorf("announced %d, coalesced %d", s.Announced, s.Coalesced)
	}
}

func TestNotBackToSource(t *testing.T) {
	r := newRig(t, alice, bob, carol)
	b := grow(r, genesis, 3, 0)
	b[2].Source = alice
	for _, e := range b {
		r.Give(e)
	}
	r.Give(peer.Announced{Peer: carol, Blocks: []chainhash.Hash{b[2].Hash}})
	round(r)
	wantInv(t, r, bob, "bob is the only one who may not know it", b[2].Hash)
	r.WantNothing("a peer that sent or announced a block knows its ancestors too")
}

func TestOnce(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	r.Reply(wantInv(t, r, alice, "news", b[0].Hash), peer.Sent{})
	r.Give(chain.BlockDisconnected{Point: b[0].Point})
	r.Give(b[0])
	round(r)
	r.WantNothing("a block that comes back is not announced again")
}

func TestServedHeadersConnect(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(peer.WantsHeaders{Peer: alice})
	r.Give(peer.HeadersWanted{Peer: alice})
	_, ask := steptest.WantAsk[chain.GetHeaders](r, "alice syncs from us")
	r.Reply(ask, chain.Headers{Headers: []*wire.BlockHeader{&b[0].Header}})
	r.Reply(wantHeaders(t, r, alice, "the answer", b[0]), peer.Sent{})
	r.Give(b[1])
	round(r)
	wantHeaders(t, r, alice, "it connects to what she was served", b[1])
}

func TestL5SlowPeerCoalesces(t *testing.T) {
	r := newRig(t, alice, bob)
	r.Give(peer.WantsHeaders{Peer: alice})
	r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{genesis.Hash}})
	b := grow(r, genesis, 30, 0)
	r.Give(b[0])
	round(r)
	slow := wantHeaders(t, r, alice, "the first block", b[0])
	for _, e := range b[1:29] {
		r.Give(e)
		round(r)
		for len(r.Pending()) > 0 {
			_, ask := steptest.WantAsk[peer.Send](r, "bob reads")
			if ask.To != bob {
				t.Fatal("a second Send to a peer that has not taken the first")
			}
			r.Reply(ask, peer.Sent{})
		}
	}
	r.Reply(slow, peer.Sent{})
	slow = wantInv(t, r, alice, "once she is free she is told at once what is the tip", b[28].Hash)
	r.Reply(slow, peer.Sent{})
	if s := status(r); s.Coalesced != 27 {
		t.Errorf("coalesced %d blocks, want 27", s.Coalesced)
	}
	r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{b[28].Hash}})
	r.Give(b[29])
	round(r)
	wantHeaders(t, r, alice, "and goes on with headers when she has caught up", b[29])
}

// A storm of 1,000 blocks a second for two seconds costs a peer that reads at
// once ten messages a second.
func TestStorm(t *testing.T) {
	r := newRig(t, alice)
	sends := 0
	take := func() {
		for len(r.Pending()) > 0 {
			_, ask := steptest.WantAsk[peer.Send](r, "an announcement")
			r.Reply(ask, peer.Sent{})
			sends++
		}
	}
	tip := genesis
	for range 2000 {
		tip = grow(r, tip, 1, 0)[0]
		r.Give(tip)
		r.Advance(time.Millisecond)
		take()
	}
	round(r)
	take()
	if sends < 20 || sends > 22 {
		t.Errorf("%d messages for 2,000 blocks in two seconds", sends)
	}
	if s := status(r); s.Announced+s.Coalesced != 2000 {
		t.Errorf("%d announced and %d coalesced of 2,000", s.Announced, s.Coalesced)
	}
}

func TestReorg(t *testing.T) {
	r := newRig(t, alice, bob)
	for _, id := range []actor.ID{alice, bob} {
		r.Give(peer.WantsHeaders{Peer: id})
		r.Give(peer.Announced{Peer: id, Blocks: []chainhash.Hash{genesis.Hash}})
	}
	old := grow(r, genesis, 2, 1)
	r.Give(old[0])
	round(r)
	r.Reply(wantHeaders(t, r, alice, "the old branch", old[0]), peer.Sent{})
	slow := wantHeaders(t, r, bob, "the old branch", old[0])

	r.Give(old[1])
	branch := grow(r, genesis, 3, 2)
	r.Give(chain.BlockDisconnected{Point: old[1].Point})
	r.Give(chain.BlockDisconnected{Point: old[0].Point})
	for _, e := range branch {
		r.Give(e)
	}
	round(r)
	wantHeaders(t, r, alice, "the new branch connects to the fork; the block that came and went is not told", branch...)
	r.Reply(slow, peer.Sent{})
	wantHeaders(t, r, bob, "the same to the one that was busy", branch...)
}

func TestReorgThatDoesNotConnect(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.WantsHeaders{Peer: alice})
	branch := grow(r, chain.BlockConnected{Point: chain.Point{Hash: chainhash.Hash{77}}}, 3, 0)
	for _, e := range branch {
		r.Give(e)
	}
	round(r)
	wantInv(t, r, alice, "she does not have the parent: the tip by inv, and she asks", branch[2].Hash)
	r.WantNothing("nothing else")
}

func TestOldBlocksAreNoNews(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	b[0].Time = r.Now.Add(-25 * time.Hour)
	r.Give(b[0])
	round(r)
	r.WantNothing("we are catching up")
	r.Give(b[1])
	round(r)
	wantInv(t, r, alice, "each block is judged by itself", b[1].Hash)
}

func TestL6LaggedAnnouncesTheTip(t *testing.T) {
	r := newRig(t, alice, bob)
	b := grow(r, genesis, 5, 0)
	r.Give(b[0])
	r.Give(actor.Lagged{Topic: testTopic, N: 3})
	_, ask := steptest.WantAsk[chain.GetTips](r, "blocks were missed: what is the tip?")
	r.Give(peer.Announced{Peer: bob, Blocks: []chainhash.Hash{b[3].Hash}})
	r.Fail(ask, actor.ErrTimeout)
	r.Advance(time.Second)
	r.WantNothing("the late answer holds the only slot")
	r.Late(ask)
	_, ask = steptest.WantAsk[chain.GetTips](r, "again, as soon as there is a slot")
	r.Reply(ask, chain.Tips{Block: b[3].Point})
	round(r)
	wantInv(t, r, alice, "the tip", b[3].Hash)
	r.WantNothing("bob has it; what was pending before is void")

	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	_, ask = steptest.WantAsk[chain.GetTips](r, "lagged again")
	r.Give(b[4])
	r.Reply(ask, chain.Tips{Block: b[3].Point})
	round(r)
	wantInv(t, r, bob, "the stream was newer than the answer", b[4].Hash)
}

// Events are missed while the tip is being asked for. The answer may be older than
// they are, so the tip is asked for again.
func TestL6LaggedTwice(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	_, first := steptest.WantAsk[chain.GetTips](r, "blocks were missed")
	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	r.Reply(first, chain.Tips{Block: b[0].Point})
	_, second := steptest.WantAsk[chain.GetTips](r, "the first answer may be too old")
	r.Reply(second, chain.Tips{Block: b[1].Point})
	round(r)
	wantInv(t, r, alice, "the tip", b[1].Hash)
	r.WantNothing("and nothing else")
}

// While a peer is busy over and over, the tip is still asked for.
func TestL9LaggedBesideABusyPeer(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(b[0])
	round(r)
	r.Fail(wantInv(t, r, alice, "news", b[0].Hash), actor.ErrBusy)
	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	r.Advance(time.Second)
	steptest.WantAsk[chain.GetTips](r, "the tip")
	r.Fail(wantInv(t, r, alice, "the message that was refused, again", b[0].Hash), actor.ErrBusy)
}

func TestRebuilt(t *testing.T) {
	r := newRig(t)
	r.Give(actor.Start{Generation: 1})
	r.Give(peer.Ready{Peer: alice})
	_, ask := steptest.WantAsk[chain.GetTips](r, "a block may have come while relay was dead")
	b := grow(r, genesis, 1, 0)
	r.Reply(ask, chain.Tips{Block: b[0].Point})
	round(r)
	wantInv(t, r, alice, "the tip", b[0].Hash)
}

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
