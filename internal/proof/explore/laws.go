package explore

import (
	"fmt"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// observe holds law L7 against what a cell was given. Each publisher of a ledger
// opens, sends its traffic, and closes, once each.
func (w *World) observe(c *cell.Cell, e *mailbox.Envelope) {
	key := life{c.ID, e.In.From}
	switch was := w.Lives[key]; {
	case e.Ledger && !e.Last:
		if was != 0 {
			w.Violate("law L7: %s is told of the beginning of %v twice, or after its end", c.Name, e.In.From)
		}
		w.Lives[key] = opened
	case e.Ledger:
		if was != opened {
			w.Violate("law L7: %s is told of the end of %v, which it does not know to live", c.Name, e.In.From)
		}
		w.Lives[key] = closed
	case e.Lane == actor.Inbound && e.Topic != 0 && was != opened:
		w.Violate("law L7: %s is given %T of %v, which it does not know to live", c.Name, e.In.Body, e.In.From)
	}
}

// observeBounds holds laws L4 and L5 against the sums. A connection has its credit.
// The end of its stream may overdraw the messages, and one message the bytes. A
// ledger has two entries per seat at each subscriber.
func (w *World) observeBounds() {
	seats := 0
	for _, k := range w.plan.Kinds {
		seats += k.Seats
	}
	for _, c := range w.Sys.Cells() {
		if !c.Runs() {
			continue
		}
		msgs, bytes := c.CreditLeft()
		if msgs < -1 {
			w.Violate("law L5: %s has %d messages more on its account than its credit", c.Name, -msgs)
		}
		if least := min(0, 1-w.sc.Message); bytes < least {
			w.Violate("law L5: %s has %d bytes more on its account than its credit", c.Name, -bytes)
		}
		entries := map[actor.TopicID]int{}
		box, _ := c.Mail.Save()
		for _, e := range box.Queued(actor.Control) {
			if e.Ledger {
				entries[e.Topic]++
			}
		}
		for _, n := range entries {
			if n > 2*seats {
				w.Violate("law L4: %d entries of a ledger wait at %s, for %d seats", n, c.Name, seats)
			}
		}
	}
}

// atRest holds laws L2 and L9 against a state in which nothing can happen any more.
// Nothing is queued, asked or owed. No credit is held. Each seat is free or has a
// living cell. Every subscriber has seen the end of the cells that are gone.
func (w *World) atRest() error {
	for _, c := range w.Sys.Cells() {
		if c.Ended() {
			continue
		}
		st := c.Stats()
		for lane, n := range st.Depth {
			if n > 0 {
				return fmt.Errorf("%d inputs wait in the %v lane of %s", n, actor.Lane(lane), c.Name)
			}
		}
		if st.Asking+st.Zombies+st.Owing > 0 {
			return fmt.Errorf("law L2: %s has %d questions open, %d given up, and owes %d answers", c.Name, st.Asking, st.Zombies, st.Owing)
		}
		if sn := c.Save(); sn.Msgs != 0 || sn.Bytes != 0 {
			return fmt.Errorf("law L5: %s has %d messages of %d bytes on its account, and none is queued", c.Name, sn.Msgs, sn.Bytes)
		}
	}
	for a := range w.Asked {
		return fmt.Errorf("law L2: question %d of %v will never have its end", a.Ticket, a.Cell)
	}
	if w.Stopped {
		if living := w.living(); len(living) > 0 {
			return fmt.Errorf("law L8: the node was told to stop, and %s lives on", living[0].Name)
		}
		return nil
	}
	return w.livesAtRest()
}

// livesAtRest holds the ledgers of the bus against what the cells have seen.
func (w *World) livesAtRest() error {
	alive := map[actor.ID]bool{}
	for _, l := range w.Sys.Bus().Lives() {
		if l.Dead {
			return fmt.Errorf("law L4: the seat of %v, which is dead, is taken for %d cells that have not seen it", l.ID, l.Waiting)
		}
		alive[l.ID] = l.Opened && !l.Closed
		for _, t := range w.plan.Topics {
			for _, sub := range t.Subs {
				if l.Opened && t.Kind == actor.LedgerTopic && w.Lives[life{sub, l.ID}] != opened {
					return fmt.Errorf("law L6: %v was never told of %v", sub, l.ID)
				}
			}
		}
	}
	for l, ph := range w.Lives {
		if ph == opened && !alive[l.Of] {
			return fmt.Errorf("law L6: %v was never told of the end of %v", l.Cell, l.Of)
		}
	}
	return nil
}
