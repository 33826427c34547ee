package steptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// inn is a small machine: guests come and go, and it asks something for each. Its
// faults are what Churn has to find.
type inn struct {
	port actor.Port[question, int]

	guests []int
	rooms  map[int]*room
	held   any // behind an interface
	wing   wing

	fault string
}

type (
	room  struct{ keys []int }
	wing  struct{ beds [2][]int }
	enter int
	leave int
)

func (n *inn) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		n.rooms = map[int]*room{0: {}} // the first room is always there
	case enter:
		n.port.Ask(out, uint64(e), question{N: int(e)})
		n.guests = append(n.guests, int(e))
		n.rooms[int(e)] = &room{}
	case leave:
		n.leave(int(e))
	}
}

// leave forgets a guest, or not all of it.
func (n *inn) leave(guest int) {
	delete(n.rooms, guest)
	if n.fault != "a slice" {
		n.guests = nil
	}
	switch n.fault {
	case "a map":
		n.rooms[guest] = &room{}
	case "behind a pointer":
		n.rooms[0].keys = append(n.rooms[0].keys, guest)
	case "behind an interface":
		was, _ := n.held.([]int)
		n.held = append(was, guest)
	case "in an array":
		n.wing.beds[1] = append(n.wing.beds[1], guest)
	}
}

func (n *inn) Deadline() time.Time { return time.Time{} }
func (n *inn) Check() error        { return nil }

// TestChurnFindsLeaks: a sound machine passes, and each kind of list that grows is
// found by its name.
func TestChurnFindsLeaks(t *testing.T) {
	for _, c := range []struct {
		fault string
		open  bool              // the last question is left open
		keep  map[string]string // the lists that may grow
		want  string            // what the rig says; "": nothing
	}{
		{},
		{fault: "a slice", want: "a leak: guests has"},
		{fault: "a map", want: "a leak: rooms has"},
		{fault: "behind a pointer", want: "a leak: rooms[].keys has"},
		{fault: "behind an interface", want: "a leak: held has"},
		{fault: "in an array", want: "a leak: wing.beds[] has"},
		{open: true, want: "1 questions are open"},
		{fault: "a map", keep: map[string]string{"rooms": "a room stays"}},
		{fault: "a slice", keep: map[string]string{"rooms": "a room stays"}, want: "guests"},
		{keep: map[string]string{"rooms": "a room stays"}, want: "needs no reason"},
		{keep: map[string]string{"cellar": "nobody goes there"}, want: "no list cellar"},
	} {
		t.Run(fmt.Sprint(c.fault, c.open, c.keep), func(t *testing.T) {
			got := playOn(t, func(s testing.TB) {
				var ports actor.Ports
				port := actor.Connect[question](&ports, "inn.ask", actor.Ref[desk](7), 4, time.Minute)
				r := steptest.New(s, &inn{port: port, fault: c.fault}, ports.Specs)
				r.Churn(func(i int) {
					r.EndAll(actor.ErrGone) // what the last round has left open
					r.Give(enter(i + 1))
					r.Give(leave(i + 1))
					if !c.open {
						r.EndAll(actor.ErrTimeout)
					}
				}, c.keep)
			})
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("the rig says %q, want %q", got, c.want)
			}
		})
	}
}

// TestEndAllEndsAll: each question ends once, in the order asked, in the ways given
// in turn, and no slot stays taken.
func TestEndAllEndsAll(t *testing.T) {
	var ports actor.Ports
	c := &clerk{port: actor.Connect[question](&ports, "clerk.ask", actor.Ref[desk](7), 1, time.Minute)}
	r := steptest.New(t, c, ports.Specs)
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy, actor.ErrTimeout} {
		if n := r.EndAll(err); n != 1 {
			t.Fatalf("%d questions were ended, and the clerk asks one", n)
		}
		if n := r.EndAll(err); n != 0 {
			t.Fatalf("after %v another %d are open", err, n)
		}
		r.Advance(time.Second) // it asks again, in the only slot
	}
}
