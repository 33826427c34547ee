package cell

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
)

// The lanes hold what can be in them at once, and no more (law L4). The sums are
// written out here a second time.
func TestL4LanesAreSums(t *testing.T) {
	const parent, other, asker, listener actor.ID = 1, 2, 3, 4
	ask := func(window int) []actor.PortSpec {
		return []actor.PortSpec{{Name: "to other", To: other, Window: window, Timeout: time.Second}}
	}
	kind := Kind{Kind: bus.Kind{ID: 1, Seats: 3}, Parent: parent, Ports: ask(5), Questions: 9, Control: 2, Credit: Credit{Msgs: 7}}
	plan := &Plan{
		Cells:       []Static{{ID: parent, Control: 4, Ports: ask(2)}, {ID: other}},
		Kinds:       []Kind{kind},
		Askers:      []Asker{{ID: asker, Ports: ask(1)}},
		Subscribers: []Subscriber{{ID: listener}},
		Topics: []bus.Topic{
			{ID: 1, Kind: actor.LedgerTopic, Subs: []actor.ID{parent, other}},
			{ID: 2, Kind: actor.TrafficTopic, Subs: []actor.ID{other}},
			{ID: 3, Kind: actor.StateTopic, Subs: []actor.ID{other, listener}},
		},
	}
	for _, c := range []struct {
		name                              string
		id                                actor.ID
		control, questions, inbound, keys int
	}{
		{"parent", parent, 1 + 2 + 4 + 3*(1+1) + 3*(1+1), 0, 0, 0},                 // Start, Stop twice, its own; Ended and Alive, Open and Close
		{"other", other, 1 + 2 + 3*(1+1), 2 + 1 + 3*5, 3 * 8 * actor.MaxFanout, 1}, // the ledger; the windows; credit and one more
		{"asker", asker, 0, 0, 0, 0},
		{"listener", listener, 0, 0, 0, 1},
	} {
		s := plan.Spec(c.id, nil)
		if s.Control != c.control || s.Questions != c.questions || s.Inbound != c.inbound || s.States != c.keys {
			t.Errorf("%s: %+v, want %+v", c.name, s, c)
		}
	}
	// Start, Stop, End and its own; credit and the end of the stream.
	if s := plan.KindSpec(kind); s.Control != 1+1+1+2 || s.Questions != 9 || s.Inbound != 7+1 {
		t.Errorf("a spawned cell: %+v", s)
	}
}
