package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"

	"github.com/btcsuite/btcd/wire/v2"
)

func TestL9SilentFetcherIsReplaced(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 30, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2, 3)
	s.wantAsked(1, "a fetcher")
	s.wantAsked(2, "another")
	s.wait(s.m.cfg.HeadersTimeout)
	s.prove(3, tip, "the fetchers were silent: the next one takes over")
	s.serve(3)
	s.wantTip(tip, "one honest peer is enough")
	s.wait(10 * s.m.cfg.HeadersTimeout)
	if _, left := s.left[1]; !left {
		t.Fatal("a peer that never answers getheaders is dropped in the end")
	}
	if s.left[1].Fault {
		t.Fatal("being slow is no breach of the rules")
	}
}

func TestSilentPeersThatAreNotDropped(t *testing.T) {
	tr := newTree()
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: services, Inbound: true})
	s.give(peer.Ready{Peer: 2, Services: services, Manual: true})
	s.give(peer.Ready{Peer: 3})
	if s.asked(3) {
		t.Fatal("a client that serves nothing is not asked")
	}
	s.wait(2 * time.Hour)
	if len(s.left) > 0 {
		t.Fatal("a peer that came to us may be silent because it is syncing from us; the user wanted the other")
	}
	if n := len(s.headersAsked[1]); n < 4 || n > 20 {
		t.Fatalf("asked %d times in two hours", n)
	}
}

func TestClaimedHeightIsNotLookedAt(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: services, Height: 1 << 30})
	s.give(peer.Ready{Peer: 2, Services: services, Height: 0})
	s.wantAsked(1, "a fetcher")
	s.give(peer.HeadersReceived{Peer: 1, Asked: true})
	s.prove(2, tip, "the other fetcher")
	s.serve(1, 2)
	s.wantTip(tip, "the chain is the one that was proved")
	if got := s.m.find(1).best; got != (chain.Point{}) {
		t.Fatalf("an empty answer proved %d", got.Height)
	}
}

func TestPeerProvesWhatWeHave(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, tip, "a fetcher")
	s.serve(1)
	s.join(2)
	q := s.wantAsked(2, "everybody is asked once")
	if *q.BlockLocatorHashes[0] != tip.parent.Hash {
		t.Fatal("the locator must begin at the parent of our best header, or an honest answer would be empty")
	}
	s.give(peer.HeadersReceived{Peer: 2, Headers: tip.locate(q.BlockLocatorHashes), Asked: true})
	if s.m.find(2).best != tip.Point {
		t.Fatal("the peer has proved our tip")
	}
}

func TestHeadersFromTheFutureAreNoFault(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 10, 1)
	tip.hflaw = chain.TooNew
	s := newStory(t, tr, nil)
	s.join(1)
	s.answerHeaders(1, tip, "a fetcher")
	if len(s.left) > 0 {
		t.Fatal("too new means not yet, not bad")
	}
	if s.m.find(1).best != tip.parent.Point {
		t.Fatal("the headers before it were good")
	}
	s.serve(1)
	s.wantTip(tip.parent, "the blocks before it are downloaded")
	tip.hflaw = chain.OK
	s.wait(s.m.cfg.TooNewRetry)
	s.prove(1, tip, "time has passed: it is asked again")
	s.serve(1)
	s.wantTip(tip, "now it is not too new any more")
}

func TestFaultyHeadersEndThePeer(t *testing.T) {
	for _, c := range []struct {
		code  chain.Code
		fault bool
	}{{chain.Invalid, true}, {chain.BadAncestor, true}, {chain.Checkpoint, false}} {
		tr := newTree()
		tip := tr.grow(tr.genesis, 10, 1)
		tip.at(5).hflaw = c.code
		s := newStory(t, tr, nil)
		s.join(1)
		s.answerHeaders(1, tip, "a fetcher")
		if d, left := s.left[1]; !left || d.Fault != c.fault {
			t.Fatalf("%v: left %v, %+v", c.code, left, d)
		}
		s.wantNothingOpen("the peer is gone")
	}
}

func TestInconsecutiveHeadersEndThePeer(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.wantAsked(1, "a fetcher")
	h := tip.locate(nil)
	h[3], h[4] = h[4], h[3]
	s.give(peer.HeadersReceived{Peer: 1, Headers: h, Asked: true})
	if !s.left[1].Fault {
		t.Fatal("headers that are no chain break the protocol")
	}
}

func TestHeadersThatDoNotConnect(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 100, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.give(peer.HeadersReceived{Peer: 1, Headers: tip.locate(nil)[:1], Asked: true})
	s.wait(time.Second)
	s.asked(1)
	announce := func() { s.give(peer.HeadersReceived{Peer: 1, Headers: tip.locate(nil)[99:]}) }
	announce()
	s.wait(time.Second)
	s.prove(1, tip, "an announcement that does not connect: what lies between?")
	if s.m.find(1).best != tip.Point || s.m.find(1).headers.strange != 0 {
		t.Fatal("now it connects")
	}

	// One that never can say what lies between goes.
	liar := tr.grow(tr.grow(tr.genesis, 5, 1), 1, 1)
	s.join(2)
	for i := range 2 * s.m.cfg.MaxUnconnecting {
		s.wait(time.Minute)
		if _, left := s.left[2]; left {
			if i < s.m.cfg.MaxUnconnecting/2 || s.left[2].Fault {
				t.Fatalf("it left in round %d, fault %v", i, s.left[2].Fault)
			}
			return
		}
		if s.asked(2) {
			s.give(peer.HeadersReceived{Peer: 2, Asked: true})
		}
		s.give(peer.HeadersReceived{Peer: 2, Headers: liar.locate(nil)[5:]})
	}
	t.Fatal("it is still here")
}

func TestFetcherThatRepeatsItself(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 2500, 1)
	s := newStory(t, tr, func(c *Bounds) { c.Span = 128 })
	s.join(1)
	for range 5 {
		if s.asked(1) {
			s.give(peer.HeadersReceived{Peer: 1, Headers: tip.at(2000).locate(nil), Asked: true})
		}
	}
	s.join(2)
	s.prove(2, tip, "a peer that sends the same for ever does not remain a fetcher")
}

func TestInvOfUnknownBlock(t *testing.T) {
	tr := newTree()
	old := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, old, "a fetcher")
	s.serve(1)
	s.give(peer.InvReceived{Peer: 1, Blocks: hashesOf(old)})
	s.wait(time.Second)
	if s.asked(1) {
		t.Fatal("we have that block")
	}
	tip := tr.grow(old, 1, 1)
	s.give(peer.InvReceived{Peer: 1, Blocks: hashesOf(tip)})
	s.give(peer.InvReceived{Peer: 1, Blocks: hashesOf(tip)})
	s.wait(s.m.cfg.MinAsk)
	if n := len(s.headersAsked[1]); n != 1 {
		t.Fatalf("asked %d times for one announcement", n)
	}
	s.prove(1, tip, "an inv of an unknown block")
	s.serve(1)
	s.wantTip(tip, "the announced block")
}

// A peer proves a block and keeps it. An inv of that block is what tells who else has it: that
// peer is asked for its headers, and then for the block, within seconds.
func TestAnInvOfABlockThatIsAwaited(t *testing.T) {
	tr := newTree()
	old := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(1, old, "a fetcher")
	s.prove(2, old, "another one")
	s.serve(1, 2)
	s.wait(time.Minute)
	tip := tr.grow(old, 1, 1)
	s.give(peer.HeadersReceived{Peer: 1, Headers: []*wire.BlockHeader{tip.header}})
	s.wantOrders(1, "it has proved the block")
	s.give(peer.InvReceived{Peer: 2, Blocks: hashesOf(tip)})
	s.give(peer.InvReceived{Peer: 2, Blocks: hashesOf(tip)})
	start := s.Now
	s.wait(s.m.cfg.MinAsk)
	s.prove(2, tip, "it says that it has it too")
	for len(s.takeOrders(2)) == 0 {
		if s.wait(time.Second); s.Now.Sub(start) > 10*time.Second {
			t.Fatalf("the one who has the block is not asked for it; %s", s.describe())
		}
	}
	s.deliver(2, tip.Hash)
	s.wantTip(tip, "it has come from who has it")
	s.give(peer.InvReceived{Peer: 2, Blocks: hashesOf(tip)})
	s.wait(s.m.cfg.MinAsk)
	if s.asked(2) {
		t.Error("it has proved the block, and we have it")
	}
}

func TestL9LostAnnouncement(t *testing.T) {
	tr := newTree()
	old := tr.grow(tr.genesis, 10, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, old, "a fetcher")
	s.serve(1)
	tip := tr.grow(old, 3, 1)
	s.waitAsked(1, s.m.cfg.StaleTip*5/4)
	s.prove(1, tip, "nobody announced it, and yet it is found")
	s.serve(1)
	s.wantTip(tip, "progress never hangs on one announcement")
}

func TestHeadersQueueIsBounded(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 6000, 1)
	s := newStory(t, tr, func(c *Bounds) { c.Span = 128 })
	s.held = func(q any) bool { _, is := q.(chain.SubmitHeaders); return is }
	s.join(1)
	s.asked(1)
	all := append(append(tip.at(2000).locate(nil), tip.at(4000).locate(hashPtrs(tip.at(2000)))...), tip.locate(hashPtrs(tip.at(4000)))...)
	for i := 0; i < len(all); i += 500 {
		s.give(peer.HeadersReceived{Peer: 1, Headers: all[i : i+500], Asked: i == 0})
	}
	if n := len(s.m.find(1).headers.batch.headers); n > 2000 {
		t.Fatalf("%d headers wait for chain", n)
	}
	s.release(nil)
	s.wait(time.Second)
	s.prove(1, tip, "what was dropped is asked for")
	s.serve(1)
	s.wantTip(tip, "nothing is missing")
}

func TestL9BestHeaderOnABranchThatNobodyServes(t *testing.T) {
	tr := newTree()
	honest := tr.grow(tr.genesis, 20, 1)
	withheld := tr.grow(honest, 5, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, withheld, "a peer proves the best header")
	s.give(peer.Gone{Peer: 1})
	s.join(2)
	s.prove(2, honest, "from there an honest peer has nothing to say; from our best block it has")
	s.serve(2)
	s.wantTip(honest, "the honest peer's blocks are downloaded")
}

func TestL9BestHeaderOnADeepBranch(t *testing.T) {
	tr := newTree()
	honest := tr.grow(tr.genesis, 2500, 1)
	s := newStory(t, tr, func(c *Bounds) { c.Span = 128 })
	s.join(1)
	s.prove(1, honest, "an honest peer")
	s.serve(1)
	s.wantTip(honest, "synced")
	heavy := tr.grow(tr.genesis, 5, 5000)
	s.join(2)
	s.prove(2, heavy, "a branch from the genesis block, of which there is never a block")
	s.give(peer.Gone{Peer: 2})
	next := tr.grow(honest, 1, 1)
	s.waitAsked(1, s.m.cfg.StaleTip*5/4)
	s.prove(1, next, "2,000 headers from the fork on are all known: it is asked for what follows")
	s.serve(1)
	s.wantTip(next, "the chain of which there are blocks goes on")
}

// TestL11RebuiltMachineResyncs: after a crash the ledger and the State topics
// are replayed, and blocks come that this machine never asked for.
func TestL11RebuiltMachineResyncs(t *testing.T) {
	before, tip := synced(t, 40, nil, 1, 2)
	inFlight := before.wantOrders(1, "asked before the crash")
	s := newStory(t, before.c.t, nil)
	s.give(actor.Start{Generation: 1})
	s.join(1, 2)
	s.deliver(1, inFlight...)
	s.prove(1, tip, "every peer is asked again")
	s.prove(2, tip, "every peer is asked again")
	s.serve(1, 2)
	s.wantTip(tip, "nothing was lost but time")
	s.wantNothingOpen("and nothing is owed")
}

// A peer that announces without end keeps no other from being asked. What was not
// asked for does not make a fetcher.
func TestAnnouncersAreNoFetchers(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 30, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2)
	for _, id := range []actor.ID{1, 2} {
		s.wantAsked(id, "a fetcher")
		s.give(peer.HeadersReceived{Peer: id, Asked: true})
	}
	s.held = func(q any) bool { _, is := q.(chain.SubmitHeaders); return is }
	for _, id := range []actor.ID{1, 2, 1, 2} { // one is judged, one waits
		s.give(peer.HeadersReceived{Peer: id, Headers: tip.at(1).locate(nil)})
	}
	s.join(3)
	s.wantAsked(3, "the others only announce what is known")
	s.release(nil)
}
