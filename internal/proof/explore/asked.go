package explore

import (
	"maps"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// asked is an open question: it has had no end yet.
type asked struct {
	Cell   actor.ID
	Ticket actor.Ticket
}

// World.Asked is the ledger of law L2. It is kept from what machines want asked and
// what they are given, apart from the tables of the mailboxes. It is part of the
// state, so an end that vanishes is missed wherever it vanished.

// asks enters a question that a step wants asked, or that an adapter asks.
func (w *World) asks(id actor.ID, t actor.Ticket) {
	if w.Asked[asked{id, t}] {
		w.Violate("law L2: %v asks two questions with the ticket %d", id, t)
	}
	w.Asked[asked{id, t}] = true
}

// given strikes a question whose end is given to its asker.
func (w *World) given(c *cell.Cell, t actor.Ticket) {
	if !w.Asked[asked{c.ID, t}] {
		w.Violate("law L2: %s is given an answer to question %d, which has had its end", c.Name, t)
	}
	delete(w.Asked, asked{c.ID, t})
}

// forgets strikes the questions of a cell that died. Their ends are not expected any
// more.
func (w *World) forgets(id actor.ID) {
	maps.DeleteFunc(w.Asked, func(a asked, _ bool) bool { return a.Cell == id })
}

// Ask asks for an adapter of the environment, on its first port.
func (w *World) Ask(from actor.ID, timeout time.Duration, to actor.ID, none, q any) {
	c := w.Sys.Lookup(from)
	call, ok := c.Mail.Reserve(0, to, 0, w.Clock.Add(timeout), none)
	if !ok {
		panic("explore: an adapter asks without a slot for the answer")
	}
	w.touched[c.ID] = true
	w.asks(c.ID, actor.Ticket(call.Seq))
	w.Sys.Ask(c, call, to, q)
}

// MayAsk says whether an adapter of the environment has a slot for another question.
func (w *World) MayAsk(from actor.ID) bool {
	box, _ := w.Sys.Lookup(from).Mail.Save()
	return box.Free(0) > 0 && !w.Stopped
}

// observeTickets holds laws L2 and L3 against the tables of questions of the cells
// that changed in this move. The open questions in a table are those in the ledger.
// A hand with the end of a question has not given it yet.
func (w *World) observeTickets() {
	for _, c := range w.Sys.Cells() {
		if !w.touched[c.ID] {
			continue
		}
		box, _ := c.Mail.Save()
		table, _ := box.Tickets(nil)
		for _, e := range w.Hands[c.ID] {
			if e.In.Ticket != 0 {
				table = append(table, e.In.Ticket)
			}
		}
		slices.Sort(table)
		var want []actor.Ticket
		for a := range w.Asked {
			if a.Cell == c.ID {
				want = append(want, a.Ticket)
			}
		}
		slices.Sort(want)
		if !slices.Equal(want, table) {
			w.Violate("law L2: %s waits for the ends of questions %v, its table knows of %v", c.Name, want, table)
		}
	}
}
