package cell

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
)

// pump is a driver whose read pump looks at the credit when it is told of it.
type pump struct {
	byHand
	left []int // messages of credit at each call
}

func (p *pump) Credited(c *Cell) { msgs, _ := c.CreditLeft(); p.left = append(p.left, msgs) }

// All credit comes back: of what was handled, of what a dead component had queued, and of
// what its batch left. It is back before the pump is told, for the pump sleeps again if it
// finds none.
func TestL5CreditComesBack(t *testing.T) {
	life, traffic := actor.Ledger[string, string]{ID: 1}, actor.Traffic[int]{ID: 2}
	d := &pump{byHand: byHand{now: time.Unix(100, 0)}}
	var peer actor.ID
	s := New(&Plan{
		Cells: []Static{{ID: 1, Name: "parent", Build: func(uint32) actor.Machine {
			return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
				switch e := in.Body.(type) {
				case actor.Start:
					if peer == 0 {
						peer, _ = out.Spawn(1, nil)
					}
				case int:
					if e == 1 {
						panic("it dies of the second message")
					}
				}
			}}
		}}},
		Kinds: []Kind{{Kind: bus.Kind{ID: 1, Name: "peer", Seats: 1}, Parent: 1, Credit: Credit{Msgs: 8, Bytes: 100},
			Build: func(actor.ID, any) actor.Machine {
				return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
					switch e := in.Body.(type) {
					case actor.Start:
						life.Open(out, "ready")
					case int:
						traffic.Publish(out, e)
					}
				}}
			}}},
		Topics: []bus.Topic{
			{ID: 1, Name: "life", Kind: actor.LedgerTopic, Subs: []actor.ID{1}},
			{ID: 2, Name: "traffic", Kind: actor.TrafficTopic, Subs: []actor.ID{1}},
		},
	}, d)
	s.Start(d.now)
	turn(s, &d.byHand, 1)
	turn(s, &d.byHand, peer)
	for i := range 4 {
		s.Deliver(9, peer, actor.Inbound, i, 10)
	}
	turn(s, &d.byHand, peer)
	turn(s, &d.byHand, 1)
	if msgs, bytes := s.Lookup(peer).CreditLeft(); msgs != 8 || bytes != 100 {
		t.Errorf("%d messages and %d bytes of credit are back, want all", msgs, bytes)
	}
	if n := len(d.left); n == 0 || d.left[n-1] != 8 {
		t.Errorf("the pump, told of its credit, found %v, want all of it at last", d.left)
	}
}
