package netsync

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

const services = wire.SFNodeNetwork | wire.SFNodeWitness

// story is a bench with a made-up chain that answers at once, and peers that
// the test plays by hand.
type story struct {
	*steptest.Rig
	t testing.TB
	m *Machine
	c *fakeChain

	// held keeps chain's questions of these types for the test to answer.
	held    func(q any) bool
	waiting []heldAsk

	headersAsked map[actor.ID][]*wire.MsgGetHeaders // not yet looked at
	blocksAsked  map[actor.ID][]chainhash.Hash
	left         map[actor.ID]actor.End // whose cells were ordered to end
	deaf         map[actor.ID]bool      // their Sends are kept
	status       []Status
	submitted    []chain.SubmitBlock
	maxInFlight  int
}

type heldAsk struct {
	q   any
	ask steptest.Asked
}

func newStory(t testing.TB, tr *tree, change func(*Bounds)) *story {
	cfg := DefaultBounds()
	if change != nil {
		change(&cfg)
	}
	ports, specs := testPorts()
	return storyOn(t, tr, cfg, ports, specs)
}

func storyOn(t testing.TB, tr *tree, cfg Bounds, ports Ports, specs []actor.PortSpec) *story {
	m := New(cfg, ports, Topics{Status: actor.State[Status]{ID: 9}}, rand.New(rand.NewPCG(1, 2)))
	s := &story{
		t: t, m: m, c: newFakeChain(tr),
		headersAsked: map[actor.ID][]*wire.MsgGetHeaders{},
		blocksAsked:  map[actor.ID][]chainhash.Hash{},
		left:         map[actor.ID]actor.End{},
		deaf:         map[actor.ID]bool{},
	}
	s.Rig = steptest.New(t, m, specs)
	t.Cleanup(s.RunOut)
	s.give(s.c.tips())
	return s
}

// give steps the machine and lets chain and the send queues answer.
func (s *story) give(body any) {
	s.t.Helper()
	s.Rig.Give(body)
	s.settle()
}

// settle answers what can be answered without a peer, until nothing is left.
func (s *story) settle() {
	s.t.Helper()
	for len(s.Pending()) > 0 {
		todo := slices.Clone(s.Pending())
		s.Drop()
		for _, e := range todo {
			s.perform(e)
		}
	}
}

func (s *story) perform(e actor.Effect) {
	s.t.Helper()
	ask := steptest.AskedBy(e)
	switch q := e.Body.(type) {
	case Status:
		s.status = append(s.status, q)
	case peer.Send:
		if _, left := s.left[e.To]; left {
			s.t.Fatalf("peer %v was ordered to end and is sent %v", e.To, q.Msgs)
		}
		for _, msg := range q.Msgs {
			switch msg := msg.(type) {
			case *wire.MsgGetHeaders:
				s.headersAsked[e.To] = append(s.headersAsked[e.To], msg)
			case *wire.MsgGetData:
				for _, i := range msg.InvList {
					s.blocksAsked[e.To] = append(s.blocksAsked[e.To], i.Hash)
				}
			}
		}
		if s.deaf[e.To] || s.held != nil && s.held(q) {
			s.waiting = append(s.waiting, heldAsk{q, ask})
			return
		}
		s.Reply(ask, peer.Sent{})
	case actor.End:
		s.left[e.To] = q
		s.Rig.Give(peer.Gone{Peer: e.To})
	default:
		if s.held != nil && s.held(q) {
			s.waiting = append(s.waiting, heldAsk{q, ask})
			return
		}
		if b, ok := q.(chain.SubmitBlock); ok {
			s.submitted = append(s.submitted, b)
		}
		was := s.c.tips()
		a := s.c.answer(q)
		if a == nil {
			s.t.Fatalf("unexpected effect %v %T", e.Kind, e.Body)
		}
		s.Reply(ask, a)
		if now := s.c.tips(); now != was {
			s.Rig.Give(now)
		}
	}
}

// release answers what was held; err, if not nil, ends it without a value.
func (s *story) release(err error) {
	s.t.Helper()
	todo := s.waiting
	s.waiting, s.held = nil, nil
	for _, h := range todo {
		switch {
		case err != nil:
			s.Fail(h.ask, err)
		case s.c.answer(h.q) != nil:
			s.Reply(h.ask, s.c.answer(h.q))
		default:
			s.Reply(h.ask, peer.Sent{})
		}
	}
	s.settle()
}

func (s *story) wait(d time.Duration) {
	s.t.Helper()
	end := s.Now.Add(d)
	for {
		at := s.m.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		s.Rig.Advance(max(at.Sub(s.Now), 0))
		s.settle()
	}
	s.Rig.Advance(end.Sub(s.Now))
	s.settle()
}

func (s *story) join(ids ...actor.ID) {
	s.t.Helper()
	for _, id := range ids {
		s.give(peer.Ready{Peer: id, Services: services})
	}
}

// waitAsked waits until the peer is asked for headers.
func (s *story) waitAsked(id actor.ID, most time.Duration) {
	s.t.Helper()
	for end := s.Now.Add(most); len(s.headersAsked[id]) == 0 && s.Now.Before(end); {
		s.wait(time.Second)
	}
}

// asked says whether a peer has been asked for headers since the last look.
func (s *story) asked(id actor.ID) bool {
	n := len(s.headersAsked[id])
	delete(s.headersAsked, id)
	return n > 0
}

func (s *story) wantAsked(id actor.ID, why string) *wire.MsgGetHeaders {
	s.t.Helper()
	q := s.headersAsked[id]
	if len(q) == 0 {
		s.t.Fatalf("%s: peer %v was not asked for headers", why, id)
	}
	delete(s.headersAsked, id)
	return q[0]
}

// answerHeaders has the peer answer its getheaders like a node with this tip.
func (s *story) answerHeaders(id actor.ID, tip *node, why string) {
	s.t.Helper()
	q := s.wantAsked(id, why)
	s.give(peer.HeadersReceived{Peer: id, Headers: tip.locate(q.BlockLocatorHashes), Asked: true})
}

// prove has the peer answer all getheaders until it is asked no more.
func (s *story) prove(id actor.ID, tip *node, why string) {
	s.t.Helper()
	s.answerHeaders(id, tip, why)
	for len(s.headersAsked[id]) > 0 {
		s.answerHeaders(id, tip, why)
	}
}

// takeOrders returns the blocks that a peer was asked for since the last look.
func (s *story) takeOrders(id actor.ID) []chainhash.Hash {
	q := s.blocksAsked[id]
	delete(s.blocksAsked, id)
	return q
}

func (s *story) wantOrders(id actor.ID, why string) []chainhash.Hash {
	s.t.Helper()
	q := s.takeOrders(id)
	if len(q) == 0 {
		s.t.Fatalf("%s: peer %v was asked for no block", why, id)
	}
	return q
}

const blockSize = 1000

func (s *story) deliver(id actor.ID, hashes ...chainhash.Hash) {
	s.t.Helper()
	for _, h := range hashes {
		s.give(s.c.t.nodes[h].sent(id, blockSize, true))
	}
}

// serve has peers deliver whatever they are asked for until nobody is asked.
func (s *story) serve(ids ...actor.ID) {
	s.t.Helper()
	for again := true; again; {
		again = false
		for _, id := range ids {
			if q := s.takeOrders(id); len(q) > 0 {
				again = true
				s.Now = s.Now.Add(20 * time.Millisecond)
				s.deliver(id, q...)
			}
		}
	}
}

func (s *story) wantTip(n *node, why string) {
	s.t.Helper()
	if s.c.best != n {
		s.t.Fatalf("%s: the best block is at %d, want %d; %s", why, s.c.best.Height, n.Height, s.describe())
	}
}

func (s *story) describe() string {
	st := s.m.report.status()
	return "phase " + st.Phase.String() + ", target " + st.Target.Hash.String()
}

// wantNothingOpen fails when something is still in flight.
func (s *story) wantNothingOpen(why string) {
	s.t.Helper()
	if s.m.orders.inFlight() != 0 || s.m.span.len() != 0 || len(s.m.submits.list) != 0 || s.Open() != 0 {
		s.t.Fatalf("%s: %d orders, %d blocks in the span, %d submitted, %d questions open",
			why, s.m.orders.inFlight(), s.m.span.len(), len(s.m.submits.list), s.Open())
	}
}

// stepAnswer returns the answer to a question that the test asked.
func stepAnswer[A any](s *story, call actor.RawCall) A {
	s.t.Helper()
	return steptest.WantAnswer[A](s.Rig, call, "a question has an answer")
}

const wireLimited = wire.SFNodeNetworkLimited | wire.SFNodeWitness
