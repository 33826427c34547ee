package cell

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Run gives a batch to a cell's machine, with a Tick behind the answers if its
// deadline has come, and performs the effects of each step in order.
func (s *System) Run(c *Cell, now time.Time, batch []mailbox.Envelope) {
	if now.After(c.now) {
		c.now = now
	}
	ticked := false
	for i := range batch {
		e := &batch[i]
		if !ticked && e.Lane > actor.Answers {
			ticked = true
			if !s.tick(c) {
				s.Spill(batch[i:])
				return
			}
		}
		if !s.step(c, e) {
			s.Spill(batch[i+1:])
			return
		}
	}
	if !ticked && !s.tick(c) {
		return
	}
	c.hands[0].rest()
	for _, id := range c.Mail.Done() {
		s.bus.Drained(c.ID, id, false)
	}
}

// tick gives the machine a Tick if its deadline has come. It returns false if the machine died.
func (s *System) tick(c *Cell) bool {
	d, trace := c.due()
	if trace != "" {
		c.out.Begin(c.now) // what the last step wanted has been done
		s.crash(c, trace, 0)
		return false
	}
	if d.IsZero() || d.After(c.now) {
		return true
	}
	return s.step(c, &mailbox.Envelope{In: actor.Input{Body: actor.Tick{}}})
}

// Spill gives back the credit of inputs that a cell has taken and will not handle,
// because it died. Its debts have been settled already.
func (s *System) Spill(rest []mailbox.Envelope) {
	for i := range rest {
		s.uncharge(rest[i].Charge)
	}
}

// step runs one input. It returns false if the cell ended or died.
func (s *System) step(c *Cell, e *mailbox.Envelope) bool {
	c.hands[0].begin(e.In.Body, c.now)
	c.out.Begin(c.now)
	c.seated = c.seated[:0]
	if trace := contain(func() { c.machine.Step(c.now, e.In, c.out) }); trace != "" {
		s.uncharge(e.Charge)
		s.crash(c, trace, culprit(e))
		return false
	}
	reason, finished := s.perform(c, e.Charge)
	s.uncharge(e.Charge)
	if ended, ok := e.In.Body.(actor.Ended); ok {
		s.bus.Drained(c.ID, ended.Child, true)
	}
	if finished {
		s.end(c, reason)
		return false
	}
	return true
}

// culprit is the connection that an input came from, or zero.
func culprit(e *mailbox.Envelope) actor.ID {
	if e.In.From.Parent() != 0 {
		return e.In.From // its traffic, its Ready or Gone, an answer of its cell
	}
	return e.Charge.Account
}

// perform does what the step wants done, in order.
func (s *System) perform(c *Cell, charge mailbox.Charge) (reason string, finished bool) {
	traffic := 0
	effects := c.out.Effects()
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case actor.Ask:
			s.ask(c, e.Call, e.To, e.Body, c.now)
		case actor.Answer:
			s.answer(c, e)
		case actor.Publish:
			if s.bus.IsTraffic(e.Topic) {
				traffic++
			}
			s.publish(c, e, charge, traffic)
		case actor.Tell:
			s.tell(c, e)
		case actor.Spawn:
			s.spawn(c, e)
		case actor.Finish:
			reason, finished = e.Body.(string), true
		case actor.Log:
			s.driver.Log(c, e.Body.(actor.Record))
		case actor.Halt:
			s.driver.Halt(e.Err)
		case actor.EndCell:
			s.endCell(c, e.To, e.Body.(actor.End))
		}
	}
	return reason, finished
}

// Ask is how an adapter that has reserved a slot asks.
func (s *System) Ask(c *Cell, call actor.RawCall, to actor.ID, q any) {
	s.ask(c, call, to, q, s.driver.Now())
}

// ask puts a question into its target's inbox, or ends it at once.
func (s *System) ask(c *Cell, call actor.RawCall, target actor.ID, q any, now time.Time) {
	to := s.Lookup(target)
	if to == nil {
		c.Mail.Answer(call, nil, actor.ErrGone, now)
		return
	}
	switch to.Mail.Put(mailbox.Envelope{
		In:   actor.Input{Body: q, From: c.ID, Call: call},
		Lane: actor.Questions, Queued: mailbox.Stamp(now),
	}) {
	case mailbox.Closed:
		c.Mail.Answer(call, nil, actor.ErrGone, now)
	case mailbox.Full:
		c.Mail.Answer(call, nil, actor.ErrBusy, now)
		if to.kind == nil {
			s.bug(to, fmt.Sprintf("no room for %T although %s kept to its window", q, c.Name))
		}
	}
}

// answer settles a question that the cell owes (law L2: once).
func (s *System) answer(c *Cell, e *actor.Effect) {
	if !s.reply(c, e.Call, e.Body, e.Err, c.now) {
		s.bug(c, fmt.Sprintf("it answers question %d of cell %v twice, with %T", e.Call.Seq, e.Call.Asker, e.Body))
	}
}

// Reply is how an adapter's worker answers. When the adapter has been closed
// meanwhile the question has ended already.
func (s *System) Reply(c *Cell, call actor.RawCall, body any, err error) {
	s.reply(c, call, body, err, s.driver.Now())
}

func (s *System) reply(c *Cell, call actor.RawCall, body any, err error, now time.Time) bool {
	if !c.Mail.Settle(call) {
		return false
	}
	if asker := s.Lookup(call.Asker); asker != nil {
		asker.Mail.Answer(call, body, err, now)
	}
	return true
}

// publish sends an event. traffic counts the pieces of traffic of this step.
func (s *System) publish(c *Cell, e *actor.Effect, charge mailbox.Charge, traffic int) {
	if traffic > actor.MaxFanout {
		s.bug(c, fmt.Sprintf("%d pieces of traffic from one message", traffic))
		return
	}
	if s.bus.IsTraffic(e.Topic) {
		for range s.bus.Subscribers(e.Topic) {
			s.charge(charge)
		}
	}
	if err := s.bus.Publish(c.now, c.ID, *e, charge); err != nil {
		s.bug(c, err.Error())
	}
}

func (s *System) tell(c *Cell, e *actor.Effect) {
	t := s.tellers[e.To]
	if t == nil {
		s.bug(c, fmt.Sprintf("it tells %T to %v, which is no adapter", e.Body, e.To))
		return
	}
	t.Tell(c.ID, e.Body)
}

func (s *System) spawn(c *Cell, e *actor.Effect) {
	kind := &s.plan.Kinds[slices.IndexFunc(s.plan.Kinds, func(k Kind) bool { return k.ID == actor.Kind(e.Key) })]
	child := s.spawned(kind, e.To, build(func() actor.Machine { return kind.Build(e.To, e.Body) }))
	s.driver.Adopt(child)
	s.bus.Spawned(child.ID, e.Body)
	s.mu.Lock()
	s.dynamic[child.ID] = child
	s.mu.Unlock()
	child.Mail.Put(mailbox.Envelope{In: actor.Input{Body: actor.Start{}}, Lane: actor.Control, Queued: mailbox.Stamp(c.now)})
	s.driver.Spawned(child)
}

// spawned is a cell of a kind that is not yet among the others.
func (s *System) spawned(kind *Kind, id actor.ID, m actor.Machine) *Cell {
	c := &Cell{ID: id, Name: fmt.Sprintf("%s %d", kind.Name, uint32(id)), sys: s, kind: kind, machine: m, hands: make([]hand, 1)}
	c.Mail = mailbox.New(id, s.plan.KindSpec(*kind), func() { s.driver.Wake(c) })
	c.out = actor.NewOutbox(c)
	return c
}

// crash contains the death of a cell (law L11). Nothing of the step is performed, and the
// cell's debts are settled. A static cell is rebuilt, unless it was to stop anyway or this
// death stops the node.
//
// If a remote peer's input caused the death, the connection ends and the death does not
// count: the peer must not stop the node by sending the same again.
func (s *System) crash(c *Cell, trace string, culprit actor.ID) {
	for _, id := range c.seated {
		s.bus.Unseat(id)
	}
	last := s.Died(c, trace, culprit)
	if c.static == nil || c.stopping.Load() || last {
		first, _, _ := strings.Cut(trace, "\n")
		s.end(c, "crashed: "+first)
		return
	}
	s.unask(c)
	c.gen++
	c.machine = build(func() actor.Machine { return c.static.Build(c.gen) })
	var owed []actor.RawCall
	var charges []mailbox.Charge
	s.bus.Rebuild(c.now, c.ID, func() {
		owed, charges = c.Mail.Reset(mailbox.Envelope{
			In:   actor.Input{Body: actor.Start{Generation: c.gen}},
			Lane: actor.Control, Queued: mailbox.Stamp(c.now),
		})
	})
	s.settle(c, owed, charges)
	// The remote peer need not be at fault: components die of their own bugs.
	s.endCell(c, culprit, actor.End{Reason: c.Name + " died of what it sent"})
	if c.stopping.Load() {
		// It was told to stop during the rebuild, and may have forgotten that
		// with the rest of its mailbox.
		s.RequestStop(c, c.now)
	}
}

// unask ends the questions of a step that died. They were never sent, so no answer would
// ever free their slots.
func (s *System) unask(c *Cell) {
	effects := c.out.Effects()
	for i := range effects {
		if e := &effects[i]; e.Kind == actor.Ask {
			c.Mail.Answer(e.Call, nil, actor.ErrGone, c.now)
		}
	}
}

// end closes a cell for good.
func (s *System) end(c *Cell, reason string) {
	c.ended.Store(true)
	owed, charges := c.Mail.Close()
	if c.kind != nil {
		s.mu.Lock()
		delete(s.dynamic, c.ID)
		s.mu.Unlock()
		s.bus.Died(c.now, c.ID, reason)
	}
	s.settle(c, owed, charges)
	c.hands[0].rest()
	s.driver.Ended(c, reason)
}

// settle ends what a dead cell owed with ErrGone and gives back the credit that
// its inbox held.
func (s *System) settle(c *Cell, owed []actor.RawCall, charges []mailbox.Charge) {
	for _, call := range owed {
		if asker := s.Lookup(call.Asker); asker != nil {
			asker.Mail.Answer(call, nil, actor.ErrGone, c.now)
		}
	}
	for _, ch := range charges {
		s.uncharge(ch)
	}
}
