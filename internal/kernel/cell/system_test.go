package cell

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Each cell is found by its ID, and what has none is not. All are listed in order.
func TestCellsAreFound(t *testing.T) {
	g := newStage()
	first := g.spawn()
	want := []actor.ID{component, listener, helper, client, hearer, first}
	for range 10 {
		g.let(component, func(out *actor.Outbox) {
			id, _ := out.Spawn(peers, nil)
			want = append(want, id)
		})
	}
	var got []actor.ID
	for _, c := range g.Cells() {
		got = append(got, c.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the cells are %v, want %v", got, want)
	}
	for _, id := range want {
		if c := g.Lookup(id); c == nil || c.ID != id {
			t.Errorf("%v is found as %v", id, c)
		}
	}
	for _, id := range []actor.ID{0, 3, writer, 8, outside, 99, actor.Child(component, 99), actor.Child(99, 1)} {
		if c := g.Lookup(id); c != nil {
			t.Errorf("%v is found as %s", id, c.Name)
		}
	}
}

// What kind of cell it is decides where it stops, how it logs and whether it runs.
func TestWhatACellIs(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	for id, want := range map[actor.ID]struct {
		runs, handles bool
		stop          int
		subsystem     string
	}{
		component: {true, true, 3, "component"}, listener: {true, true, 4, "listener"}, peer: {true, true, 1, "peer"},
		helper: {false, true, 0, "helper"}, client: {false, false, 0, "client"}, hearer: {false, false, 0, "hearer"},
	} {
		c := g.Lookup(id)
		if c.Runs() != want.runs || c.Handles() != want.handles || c.Stop() != want.stop || c.Subsystem() != want.subsystem || c.Ended() {
			t.Errorf("%s: runs %v, handles %v, stops at %d, logs as %q; want %+v", c.Name, c.Runs(), c.Handles(), c.Stop(), c.Subsystem(), want)
		}
	}
	if c := g.Lookup(component); c.Seats(peers) != 11 || c.Seats(peers+1) != 0 {
		t.Errorf("%d seats are free for peers, %d for what is no kind", c.Seats(peers), c.Seats(peers+1))
	}
	if ports := g.Lookup(client).Ports(); len(ports) != 1 || ports[0].Name != "of a client" {
		t.Errorf("the client's ports are %v", ports)
	}
	if g.credit(component) != "0 0" || g.credit(peer) != "8 100" {
		t.Errorf("the credit is %s and %s: only a connection has some", g.credit(component), g.credit(peer))
	}
}

// Only machines are started.
func TestOnlyMachinesAreStarted(t *testing.T) {
	g := newStage()
	g.System.Start(g.now)
	for _, c := range g.Cells() {
		st := c.Stats()
		want := 0
		if c.Runs() {
			want = 1
		}
		if st.Depth[actor.Control] != want || st.Refused != 0 {
			t.Errorf("%s has %d inputs, %d refused", c.Name, st.Depth[actor.Control], st.Refused)
		}
	}
}

// What is delivered to a connection is charged until it has been handled. What finds no
// room is not.
func TestL5WhatIsRefusedCostsNothing(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	full := 0
	for i := range 20 {
		if !g.Deliver(outside, peer, actor.Inbound, "message", 5) {
			full++
			continue
		}
		if got, want := g.credit(peer), fmt.Sprint(7-i, " ", 95-5*i); got != want {
			t.Errorf("%d messages, and its credit is %s, want %s", i+1, got, want)
		}
	}
	if full != 20-8-1 || g.credit(peer) != "-1 55" {
		t.Errorf("%d of 20 find no room, and the credit is %s", full, g.credit(peer))
	}
	if !g.Deliver(outside, peer, actor.Control, "word", 50) || g.credit(peer) != "-1 55" {
		t.Errorf("what is not traffic costs %s", g.credit(peer))
	}
	if g.turn(peer); g.credit(peer) != "8 100" {
		t.Errorf("all is handled, and the credit is %s", g.credit(peer))
	}
	if g.Deliver(outside, actor.Child(component, 99), actor.Inbound, "late", 10) || g.Deliver(outside, 99, actor.Control, "late", 0) {
		t.Error("something is delivered to nobody")
	}
}

// An envelope that cannot be put gives its credit back. That a lane is full is a bug.
func TestL5WhatCannotBePostedCostsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		to     actor.ID
		before func(g *stage)
		bug    string
	}{
		"nobody":    {99, func(*stage) {}, ""},
		"it closed": {listener, func(g *stage) { g.Lookup(listener).Mail.Close() }, ""},
		"no room":   {hearer, func(*stage) {}, "bug in hearer: the inbound lane has no room for string"},
	} {
		g := newStage()
		peer := g.spawn()
		charge := mailbox.Charge{Account: peer, Bytes: 10}
		g.charge(charge)
		c.before(g)
		g.post(c.to, mailbox.Envelope{Lane: actor.Inbound, Charge: charge, In: actor.Input{Body: "event"}})
		if g.credit(peer) != "8 100" || (g.Bugs() > 0) != (c.bug != "") || c.bug != "" && !g.halts(c.bug) {
			t.Errorf("%s: the credit is %s; halted for %v", name, g.credit(peer), g.halted)
		}
	}
}

// Of several hands the one that has been busy for longest shows.
func TestL12TheHandThatIsBusyForLongest(t *testing.T) {
	g := newStage()
	c := g.Lookup(helper)
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	shows := func(since int64, with string) {
		t.Helper()
		if since > 0 {
			since = mailbox.Stamp(at(since))
		}
		if st := c.Stats(); st.BusySince != since || st.BusyWith != with {
			t.Errorf("it shows %q since %d, want %q since %d", st.BusyWith, st.BusySince, with, since)
		}
	}
	shows(0, "")
	c.Begin(1, actor.Input{Body: "first"}, at(10))
	shows(10, "string")
	c.Begin(0, actor.Input{Body: 7}, at(20))
	shows(10, "string")
	c.Begin(1, actor.Input{Body: 7.0}, at(30))
	shows(20, "int")
	if work := c.Work(nil); len(work) != 2 || work[0].Since != mailbox.Stamp(at(20)) || work[1].With.String() != "float64" {
		t.Errorf("its hands are at %v", work)
	}
	c.End(0)
	shows(30, "float64")
	c.End(1)
	shows(0, "")
	g.Lookup(component).Begin(0, actor.Input{}, at(40)) // with nothing that has a type
	if st := g.Lookup(component).Stats(); st.BusyWith != "" || st.ID != component || st.Name != "component" {
		t.Errorf("%+v", st)
	}
}

// A machine whose Deadline panics is due: Run meets the same panic and contains it.
func TestL11ADeadlineThatPanicsIsDue(t *testing.T) {
	g := newStage()
	g.spawn()
	c := g.Lookup(component)
	g.due[component] = g.now
	if !c.Deadline().Equal(g.now) {
		t.Errorf("it is due at %v", c.Deadline())
	}
	c.machine = scripted{deadline: func() time.Time { panic("no time") }}
	if d := c.Deadline(); d.IsZero() || d.After(g.now) {
		t.Errorf("it is due at %v, want long ago", d)
	}
}
