package netsync

import (
	"fmt"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// benchHost lends an outbox what the benchmark needs: slots without end.
type benchHost struct{ seq uint64 }

func (h *benchHost) Reserve(_ int, _ actor.ID, key uint64, _ time.Time, _ any) (actor.RawCall, bool) {
	h.seq++
	return actor.RawCall{Asker: 1, Slot: uint32(key), Seq: h.seq}, true
}
func (h *benchHost) Free(int) int                     { return 1000 }
func (h *benchHost) Seat(actor.Kind) (actor.ID, bool) { return 0, false }
func (h *benchHost) Seats(actor.Kind) int             { return 0 }

// BenchmarkBlock measures what one block costs with a full span: the step of
// its arrival, those of chain's verdict and of the Sent that follow, and one
// Deadline each.
func BenchmarkBlock(b *testing.B) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 100_000, 1)
	for _, peers := range []int{8, 125} {
		b.Run(fmt.Sprintf("peers=%d", peers), func(b *testing.B) {
			n := 0
			for b.Loop() {
				if n--; n < 0 {
					b.StopTimer()
					n = benchRun(b, tr, tip, peers)
					b.StartTimer()
				}
				bench.one(b)
			}
		})
	}
}

// bench is the run under way.
var bench *benchState

type benchState struct {
	m      *Machine
	out    *actor.Outbox
	now    time.Time
	height int32
	tr     *tree
	byH    []*node
}

func benchRun(b *testing.B, tr *tree, tip *node, peers int) int {
	ports, _ := testPorts()
	s := &benchState{
		m: New(DefaultBounds(), ports, Topics{}, nil), out: actor.NewOutbox(&benchHost{}),
		now: steptest.Epoch, tr: tr, byH: make([]*node, tip.Height+1),
	}
	for n := tip; n != nil; n = n.parent {
		s.byH[n.Height] = n
	}
	for i := range peers {
		p := &remote{id: actor.ID(i + 1), full: true, serves: true, blocks: true}
		p.best, p.common = tip.Point, tip.Point
		p.orders.limit, p.headers.askAt = 1024/peers+1, s.now.Add(time.Hour)
		s.m.ready = append(s.m.ready, p)
	}
	s.step(actor.Input{Body: chain.Tips{Block: tr.genesis.Point, Header: tip.Point}})
	if s.m.orders.inFlight() < 900 {
		b.Fatalf("%d in flight", s.m.orders.inFlight())
	}
	bench = s
	return int(tip.Height) - 2048
}

// step steps the machine and answers what it asks, as chain would.
func (s *benchState) step(in actor.Input) {
	s.out.Begin(s.now)
	s.m.Step(s.now, in, s.out)
	s.m.Deadline()
	var answers []actor.Input
	for _, e := range s.out.Effects() {
		if e.Kind != actor.Ask {
			continue
		}
		a := actor.Input{Ticket: actor.Ticket(e.Call.Seq), Key: uint64(e.Call.Slot), From: e.To}
		switch q := e.Body.(type) {
		case peer.Send:
			a.Body = peer.Sent{}
		case chain.SubmitBlock:
			s.height++
			at := s.byH[s.height].Point
			a.Body = chain.Verdict{Hash: at.Hash, Tip: at}
		case chain.GetPath:
			a.Body = s.path(q)
		default:
			panic(fmt.Sprintf("%T", q))
		}
		answers = append(answers, a)
	}
	for _, a := range answers {
		s.step(a)
	}
}

func (s *benchState) path(q chain.GetPath) chain.Path {
	from := s.height
	if n := s.tr.nodes[q.After]; n != nil {
		from = n.Height
	}
	a := chain.Path{Known: true, To: s.byH[len(s.byH)-1].Point}
	for h := from + 1; h <= from+int32(q.Max); h++ {
		a.Missing = append(a.Missing, s.byH[h].Point)
	}
	return a
}

// one delivers the next block, from the peer that was asked for it.
func (s *benchState) one(b *testing.B) {
	_, head := s.m.span.head()
	if head == nil || head.by[0] == 0 {
		b.Fatal("the head is not ordered")
	}
	s.now = s.now.Add(time.Millisecond)
	n := s.tr.nodes[head.at.Hash]
	s.step(actor.Input{Body: n.sent(head.by[0], 500, true)})
}
