package explore

import (
	"cmp"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// asked is a question that has had no end yet.
type asked struct {
	Cell   actor.ID
	Ticket actor.Ticket
}

func (a asked) compare(b asked) int {
	return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Ticket, b.Ticket))
}

// The ledger of law L2. It is kept from what machines want asked and what they
// are given, apart from the tables of the mailboxes, and is part of the state: so
// an end that vanishes is missed, wherever it vanished.

// asks enters a question that a step wants asked, or that an adapter asks.
func (w *World) asks(id actor.ID, t actor.Ticket) {
	a := asked{id, t}
	if at, old := slices.BinarySearchFunc(w.Asked, a, asked.compare); old {
		w.Violate("law L2: %v asks two questions with the ticket %d", id, t)
	} else {
		w.Asked = slices.Insert(w.Asked, at, a)
	}
}

// given strikes a question whose end is given to its asker.
func (w *World) given(c *cell.Cell, t actor.Ticket) {
	end := asked{c.ID, t}
	if !slices.Contains(w.Asked, end) {
		w.Violate("law L2: %s is given an answer to question %d, which has had its end", c.Name, t)
	}
	w.Asked = strike(w.Asked, func(a asked) bool { return a == end })
}

// forgets strikes the questions of a cell that died: nobody waits for their ends
// any more.
func (w *World) forgets(id actor.ID) {
	w.Asked = strike(w.Asked, func(a asked) bool { return a.Cell == id })
}

// strike keeps an empty ledger nil: there is one way to encode it.
func strike(all []asked, which func(asked) bool) []asked {
	if all = slices.DeleteFunc(all, which); len(all) == 0 {
		return nil
	}
	return all
}

// Ask is how the environment asks for an adapter, on the first of its ports.
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

// observeTickets holds laws L2 and L3 against the tables of questions of those
// cells that changed in this move: those without an end are the ones in the
// ledger. Hands that hold the end of a question have not given it yet.
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
		for _, a := range w.Asked {
			if a.Cell == c.ID {
				want = append(want, a.Ticket)
			}
		}
		if !slices.Equal(want, table) {
			w.Violate("law L2: %s waits for the ends of questions %v, its table knows of %v", c.Name, want, table)
		}
	}
}
