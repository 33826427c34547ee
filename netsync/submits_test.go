package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func TestInvalidBlock(t *testing.T) {
	tr := newTree()
	honest := tr.grow(tr.genesis, 10, 1)
	bad := tr.grow(honest.at(5), 8, 100)
	bad.at(6).flaw = chain.Invalid
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(1, bad, "a heavier branch, with an invalid block in it")
	s.prove(2, honest, "an honest one")
	s.serve(1, 2)
	if !s.left[1].Fault {
		t.Fatal("the peer that sent the invalid block is at fault")
	}
	s.serve(2)
	s.wantTip(honest, "the branch is given up")
	if _, left := s.left[2]; left {
		t.Fatal("the honest one stays")
	}
}

func TestMutatedBlock(t *testing.T) {
	s, tip := synced(t, 10, nil, 1, 2)
	q := s.wantOrders(1, "some blocks")
	s.give(mutated(s.c.t.nodes[q[0]].sent(1, blockSize, true)))
	if !s.left[1].Fault {
		t.Fatal("the body does not belong to the header")
	}
	s.serve(2)
	s.wantTip(tip, "another copy is good")
}

func TestChainTimesOut(t *testing.T) {
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone} {
		s, tip := synced(t, 40, nil, 1)
		s.held = func(q any) bool { _, is := q.(chain.SubmitBlock); return is }
		s.serve(1)
		if len(s.waiting) != 16 {
			t.Fatalf("%d submissions outstanding, the port has 16 slots", len(s.waiting))
		}
		if err == actor.ErrGone {
			s.c.rebuild()
		}
		late := s.waiting
		s.release(err)
		s.give(s.c.tips())
		if err == actor.ErrTimeout {
			s.wait(time.Minute) // the slots are taken until chain answers after all
			for _, h := range late {
				s.Late(h.ask)
			}
		}
		s.wait(s.m.cfg.Retry)
		s.serve(1)
		s.wait(5 * time.Second)
		for range 5 { // a rebuilt chain has to be told the headers again
			if s.asked(1) {
				s.give(peer.HeadersReceived{Peer: 1, Headers: tip.locate(nil), Asked: true})
			}
			s.serve(1)
			s.wait(20 * time.Second)
		}
		s.wantTip(tip, err.Error()+": nothing stays stuck")
	}
}

func TestBlockByRPC(t *testing.T) {
	s, tip := synced(t, 10, nil, 1)
	for h := int32(1); h <= 6; h++ {
		s.c.submitBlock(chain.SubmitBlock{Hash: tip.at(h).Hash, Payload: make([]byte, 100)})
	}
	s.give(s.c.tips())
	if n := s.m.span.len(); n != 4 {
		t.Fatalf("the span has %d blocks, six of ten came by another way", n)
	}
	s.serve(1)
	s.wantTip(tip, "the rest")
}

func TestBlockFromTheFuture(t *testing.T) {
	s, tip := synced(t, 10, nil, 1)
	early := tip.at(4)
	early.flaw = chain.TooNew
	s.serve(1)
	s.wantTip(tip.at(3), "the fourth block is too new")
	if len(s.left) > 0 {
		t.Fatal("too new means not yet, not bad")
	}
	early.flaw = chain.OK
	s.wait(s.m.cfg.TooNewRetry)
	s.serve(1)
	s.wantTip(tip, "chain was asked again later; nothing was downloaded twice")
	if got := s.m.report.status().Bytes; got != 10*blockSize {
		t.Fatalf("%d bytes received", got)
	}
}

func TestPeerWithoutWitnessIsNotAsked(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 4, 1)
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: wire.SFNodeNetwork})
	s.prove(1, tip, "an old node")
	if len(s.takeOrders(1)) > 0 {
		t.Fatal("its blocks lack their witness data, and nobody could tell it from one that cuts them short")
	}
	s.join(2)
	s.prove(2, tip, "a newer node")
	s.serve(1, 2)
	s.wantTip(tip, "blocks come from the newer one")
}

func TestDescendantsOfAnInvalidBlockAreNobodysFault(t *testing.T) {
	tr := newTree()
	bad := tr.grow(tr.genesis, 16, 1)
	bad.at(1).flaw = chain.Invalid
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(1, bad, "one")
	s.prove(2, bad, "another")
	s.serve(2)
	s.serve(1)
	if !s.left[1].Fault {
		t.Fatal("the peer that sent the invalid block is at fault")
	}
	if s.left[2].Fault {
		t.Fatal("we had asked the other for blocks of a branch that we did not know to be bad")
	}
}

// Chain lacks the parent of the first block that it is handed. So the path is
// wrong, and chain is asked for all of it again.
func TestAnOrphanInFrontMeansAnotherPath(t *testing.T) {
	s, _ := synced(t, 10, nil, 1)
	s.held = is[chain.SubmitBlock]
	s.serve(1)
	first := s.waiting[0]
	s.held = is[chain.GetPath]
	s.Reply(first.ask, chain.Verdict{Hash: first.q.(chain.SubmitBlock).Hash, Code: chain.Orphan})
	s.waiting = nil
	s.wait(s.m.cfg.Retry)
	if len(s.waiting) != 1 || s.waiting[0].q.(chain.GetPath).After != (chainhash.Hash{}) {
		t.Errorf("chain is asked %v, want the whole path", s.waiting)
	}
}

// What is published is what a question would be told, whatever changed last: here
// chain takes blocks that were held, and nothing else happens.
func TestTheStatusIsPublishedWhateverHasChanged(t *testing.T) {
	s, _ := synced(t, 40, nil, 1)
	s.held = is[chain.SubmitBlock]
	s.serve(1)
	late := s.waiting
	s.release(actor.ErrTimeout)
	s.held = is[chain.SubmitBlock]
	s.wait(time.Minute)
	before := s.m.report.status()
	for _, h := range late {
		s.Late(h.ask)
	}
	s.settle()
	s.wait(2 * statusEvery)
	now := s.m.report.status()
	if now.Held >= before.Held {
		t.Fatalf("%d blocks are held, and %d were", now.Held, before.Held)
	}
	if got := s.status[len(s.status)-1]; got != now {
		t.Errorf("published is %+v, want %+v", got, now)
	}
}
