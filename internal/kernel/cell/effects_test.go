package cell

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// halts says whether the node was stopped once, for this reason.
func (g *stage) halts(why string) bool {
	return len(g.halted) == 1 && strings.Contains(g.halted[0].Error(), why)
}

// What a machine wants done is done in order: it is told to adapters, logged, and the
// node halts.
func TestEffectsAreDoneInOrder(t *testing.T) {
	g := newStage()
	g.spawn()
	why := errors.New("the disk is full")
	var peer actor.ID
	g.let(component, func(out *actor.Outbox) {
		out.Tell(writer, "write")
		out.Log(actor.Info, "a message")
		peer, _ = out.Spawn(peers, "arg")
		out.Halt(why)
		out.Tell(writer, "flush")
	})
	name := g.Lookup(peer).Name
	if want := []any{"1 tells write", "component logs a message", "adopt " + name, "run " + name, "1 tells flush"}; fmt.Sprint(g.log) != fmt.Sprint(want) {
		t.Errorf("the driver is told %q, want %q", g.log, want)
	}
	if len(g.halted) != 1 || g.halted[0] != why || g.Bugs() != 0 {
		t.Errorf("halted for %v, %d bugs", g.halted, g.Bugs())
	}
	if fmt.Sprint(g.built) != fmt.Sprint([]any{fmt.Sprint(peer, " arg")}) {
		t.Errorf("built %q", g.built)
	}
	g.let(peer, func(out *actor.Outbox) { out.Log(actor.Info, "hello") })
	if last := g.log[len(g.log)-1]; last != "peer logs hello" || !g.saw(peer, "Start", "do") {
		t.Errorf("the peer logs %q, and sees %q", last, g.seen[peer])
	}
}

// A machine that breaks the rules of its outbox stops the node, and what it wanted is not
// done.
func TestABugStopsTheNode(t *testing.T) {
	for name, c := range map[string]struct {
		do  do
		why string
	}{
		"an unknown topic":   {func(out *actor.Outbox) { actor.Stream[int]{ID: 99}.Publish(out, 1) }, "topic 99 is not in the wiring"},
		"traffic on its own": {func(out *actor.Outbox) { traffic.Publish(out, 1) }, "traffic on traffic without credit"},
		"telling a cell":     {func(out *actor.Outbox) { out.Tell(listener, "hello") }, "which is no adapter"},
		"an answer to nobody": {func(out *actor.Outbox) {
			(query{}).Call(actor.Input{Body: query{}, Call: actor.RawCall{Asker: listener, Seq: 7}}).Answer(out, reply{})
		},
			"it answers question 7 of cell 2 twice, with cell.reply"},
	} {
		g := newStage()
		g.spawn()
		g.let(component, c.do)
		if !g.halts("bug in component: ") || !g.halts(c.why) || g.Bugs() != 1 {
			t.Errorf("%s: halted for %v, %d bugs; want %q", name, g.halted, g.Bugs(), c.why)
		}
		if g.turn(listener); !g.saw(listener) {
			t.Errorf("%s: the listener sees %q", name, g.seen[listener])
		}
	}
}

// A question has one answer. The second one is a bug of who gives it, and the asker hears
// only the first.
func TestL2ASecondAnswerIsABug(t *testing.T) {
	g := newStage()
	g.spawn()
	g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
	g.turn(listener)
	g.let(listener, func(out *actor.Outbox) { g.calls[0].Answer(out, reply{}) })
	if len(g.halted) > 0 {
		t.Fatalf("halted for %v", g.halted)
	}
	g.let(listener, func(out *actor.Outbox) { g.calls[0].Refuse(out) })
	if g.turn(component); !g.halts("bug in listener: it answers question") || !g.saw(component, "do", "reply") {
		t.Errorf("halted for %v; the asker sees %q", g.halted, g.seen[component])
	}
}

// An answer may find its asker gone. That is nobody's bug.
func TestAnAnswerToAnEndedCell(t *testing.T) {
	g := newStage()
	g.spawn()
	g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
	g.turn(listener)
	g.let(listener, func(out *actor.Outbox) { g.calls[0].Answer(out, reply{}) })
	var peer actor.ID
	g.let(component, func(out *actor.Outbox) { peer, _ = out.Spawn(peers, nil) })
	call := actor.RawCall{Asker: peer, To: listener, Seq: 1}
	g.Lookup(listener).Mail.Put(mailbox.Envelope{Lane: actor.Questions, In: actor.Input{Body: query{}, From: peer, Call: call}})
	g.turn(peer)
	g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") })
	g.turn(listener)
	g.let(listener, func(out *actor.Outbox) { g.calls[1].Answer(out, reply{}) })
	if len(g.halted) > 0 {
		t.Errorf("halted for %v", g.halted)
	}
}

// A question to who is no more, or has no room, ends at once. Only of a spawned cell's
// inbox may there be no room.
func TestL2AQuestionThatCannotBeSent(t *testing.T) {
	const gone, busy = "reply: the other side is gone", "reply: the other side is busy"
	for name, c := range map[string]struct {
		before func(g *stage, peer actor.ID)
		end    string
	}{
		"it lives":     {func(*stage, actor.ID) {}, ""},
		"it has ended": {func(g *stage, peer actor.ID) { g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") }) }, gone},
		"it is closed": {func(g *stage, peer actor.ID) { g.Lookup(peer).Mail.Close() }, gone},
		"it has two": {func(g *stage, peer actor.ID) {
			for range 2 {
				g.let(listener, func(out *actor.Outbox) { g.askOf.Ask(out, actor.Ref[answerer](peer), 0, query{}) })
			}
		}, busy},
	} {
		g := newStage()
		peer := g.spawn()
		c.before(g, peer)
		g.turn(listener)
		g.forget()
		g.let(listener, func(out *actor.Outbox) { g.askOf.Ask(out, actor.Ref[answerer](peer), 0, query{}) })
		g.turn(listener)
		want := []string{"do"}
		if c.end != "" {
			want = append(want, c.end)
		}
		if !g.saw(listener, want...) || len(g.halted) > 0 {
			t.Errorf("%s: the asker sees %q, want %q; halted for %v", name, g.seen[listener], want, g.halted)
		}
	}
}

// The inbox of a static cell has room for all that may be asked. That it has none is a bug.
func TestL4NoRoomAtAStaticCellIsABug(t *testing.T) {
	g := newStage()
	g.spawn()
	for range 2 + 1 { // the windows of the component and of the client
		g.Lookup(listener).Mail.Put(mailbox.Envelope{Lane: actor.Questions})
	}
	g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
	g.turn(component)
	if !g.halts("bug in listener: no room for cell.query although component kept to its window") || !g.saw(component, "do", "reply: the other side is busy") {
		t.Errorf("halted for %v; the asker sees %q", g.halted, g.seen[component])
	}
}

// One message may become four pieces of traffic. A fifth is a bug, and is not sent.
func TestL4TheFanOutIsBounded(t *testing.T) {
	for n, bug := range map[int]bool{actor.MaxFanout: false, actor.MaxFanout + 1: true} {
		g := newStage()
		peer := g.spawn()
		g.receive(peer, func(out *actor.Outbox) {
			for i := range 3 * actor.MaxFanout {
				weather.Set(out, 0, fmt.Sprint("value ", i)) // it is no traffic
			}
			for range n {
				traffic.Publish(out, "piece")
			}
		})
		if (len(g.halted) > 0) != bug || bug && !g.halts("5 pieces of traffic from one message") {
			t.Errorf("%d pieces: halted for %v", n, g.halted)
		}
		if g.credit(peer) != "4 60" {
			t.Errorf("%d pieces: the credit is %s, want that of four messages spent", n, g.credit(peer))
		}
		g.turn(listener)
		if !g.saw(listener, "value 11", "piece", "piece", "piece", "piece") || g.credit(peer) != "8 100" {
			t.Errorf("%d pieces: the listener sees %q, the credit is %s", n, g.seen[listener], g.credit(peer))
		}
	}
}

// Nothing of a step that died is done, and the seats that it took are free again.
func TestL11NothingOfADeadStepIsDone(t *testing.T) {
	g := newStage()
	g.spawn()
	g.let(component, func(out *actor.Outbox) {
		for range 3 {
			out.Spawn(peers, nil)
		}
		for out.Seats(peers) > 0 {
			out.Spawn(peers, nil)
		}
		if _, ok := out.Spawn(peers, nil); ok {
			t.Error("a cell is spawned without a seat")
		}
		out.Tell(writer, "write")
		weather.Set(out, 0, "value")
		g.ask.Ask(out, 0, query{})
		panic("it dies")
	})
	if fmt.Sprint(g.log) != "[component died: it dies]" || fmt.Sprint(g.built) != "[1 again 1]" {
		t.Errorf("the driver is told %q, built %q", g.log, g.built)
	}
	if free := g.Lookup(component).Seats(peers); free != 11 || g.Bus().Check() != nil {
		t.Errorf("%d seats are free, want all but that of the peer", free)
	}
	if g.turn(listener); !g.saw(listener) {
		t.Errorf("the listener sees %q", g.seen[listener])
	}
	if free := g.Lookup(component).Free(0); free != 2 {
		t.Errorf("%d slots are free, want both: nothing was asked", free)
	}
	if g.turn(component); !g.saw(component, "do", "Start", "Alive", "ready") {
		t.Errorf("the successor sees %q", g.seen[component])
	}
}

// A step keeps nothing of the seats that earlier ones have used.
func TestL11OnlyTheSeatsOfTheDeadStepAreGivenBack(t *testing.T) {
	g := newStage()
	g.spawn()
	for range 3 {
		g.let(component, func(out *actor.Outbox) { out.Spawn(peers, nil) })
	}
	if n := len(g.Lookup(component).seated); n != 1 {
		t.Errorf("%d seats are noted for the last step", n)
	}
	g.let(component, dies)
	if free := g.Lookup(component).Seats(peers); free != 8 {
		t.Errorf("%d seats are free, want those of four living cells taken", free)
	}
}
