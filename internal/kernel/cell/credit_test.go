package cell

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
)

// pump is a driver whose read pump looks at the credit when it is told of it.
type pump struct {
	byHand
	*System
	peer actor.ID
	left []int // messages of credit at each call
}

func (p *pump) Credited(c *Cell) { msgs, _ := c.CreditLeft(); p.left = append(p.left, msgs) }

// newPump starts a parent with a peer, which publishes each message so often.
func newPump(fanOut int, parent func(message int)) *pump {
	life, traffic := actor.Ledger[string, string]{ID: 1}, actor.Traffic[int]{ID: 2}
	p := &pump{byHand: byHand{now: time.Unix(100, 0)}}
	p.System = New(&Plan{
		Cells: []Static{{ID: 1, Name: "parent", Build: func(uint32) actor.Machine {
			return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
				switch e := in.Body.(type) {
				case actor.Start:
					if p.peer == 0 {
						p.peer, _ = out.Spawn(1, nil)
					}
				case int:
					parent(e)
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
						for range fanOut {
							traffic.Publish(out, e)
						}
					}
				}}
			}}},
		Topics: []bus.Topic{
			{ID: 1, Name: "life", Kind: actor.LedgerTopic, Subs: []actor.ID{1}},
			{ID: 2, Name: "traffic", Kind: actor.TrafficTopic, Subs: []actor.ID{1}},
		},
	}, p)
	p.Start(p.now)
	p.turn(1)
	p.turn(p.peer)
	return p
}

func (p *pump) turn(id actor.ID) { turn(p.System, &p.byHand, id) }

// All credit comes back: of what was handled, of what a dead component had queued, and of
// what its batch left. It is back before the pump is told, for the pump sleeps again if it
// finds none.
func TestL5CreditComesBack(t *testing.T) {
	p := newPump(1, func(message int) {
		if message == 1 {
			panic("it dies of the second message")
		}
	})
	for i := range 4 {
		p.Deliver(9, p.peer, actor.Inbound, i, 10)
	}
	p.turn(p.peer)
	p.turn(1)
	if msgs, bytes := p.Lookup(p.peer).CreditLeft(); msgs != 8 || bytes != 100 {
		t.Errorf("%d messages and %d bytes of credit are back, want all", msgs, bytes)
	}
	if n := len(p.left); n == 0 || p.left[n-1] != 8 {
		t.Errorf("the pump, told of its credit, found %v, want all of it at last", p.left)
	}
}

// The pump is not told of credit that the message's own traffic holds.
func TestL5CreditPassesOn(t *testing.T) {
	p := newPump(2, func(int) {})
	p.Deliver(9, p.peer, actor.Inbound, 1, 10)
	p.turn(p.peer)
	p.turn(1)
	if fmt.Sprint(p.left) != "[6 7 8]" {
		t.Errorf("the pump, told of its credit, found %v, want that of two pieces, of one and of none spent", p.left)
	}
}
