package explore

import (
	"fmt"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Kind says what a move is.
type Kind uint8

// The kinds of move.
const (
	Take  Kind = iota + 1 // a cell takes its most urgent input
	Tick                  // a cell is given its Tick
	Crash                 // a cell dies in the step of its most urgent input, or of its Tick
	Serve                 // an adapter takes an answer, or answers its oldest question
	Jump                  // the clock jumps to the N-th deadline from now
	Stop                  // the node is told to stop
	Act                   // the environment's move N
	Wait                  // the next deadline comes; at rest only
)

// Move is one thing that may happen next.
type Move struct {
	Kind Kind
	Cell actor.ID
	N    int64
}

// possible lists what may happen in the state that the node is in.
func (w *World) possible(s state, buf []Move) []Move {
	for _, p := range s[2:] {
		sn := &p.cell
		switch {
		case sn.Ended || sn.Closed:
		case p.adapter:
			if p.ready || w.isDue(p.expires) {
				buf = append(buf, Move{Kind: Serve, Cell: sn.ID})
			}
		case p.held:
			buf = append(buf, Move{Kind: Take, Cell: sn.ID})
		default:
			buf = w.steps(p, buf)
		}
	}
	if w.Jumps > 0 {
		for i, at := range w.deadlines(s) {
			if at.Sub(w.Clock) >= w.sc.Leap {
				buf = append(buf, Move{Kind: Jump, N: int64(i)})
			}
		}
	}
	if (w.sc.Stop || w.Halted) && !w.Stopped {
		buf = append(buf, Move{Kind: Stop})
	}
	return append(buf, w.Env.Moves(w)...)
}

// ofTick is the N of a death in a Tick.
const ofTick = 1

// steps lists what a cell may do, and what it may die of. A Tick is a move apart. It
// may come before or after whatever the cell could take instead. In a batch it stands
// behind the answers.
func (w *World) steps(p *part, buf []Move) []Move {
	id := p.cell.ID
	mortal := w.Crashes > 0
	takes, ticks, hand := p.ready || w.isDue(p.expires), w.isDue(p.tick), len(w.Hands[id]) > 0
	if w.sc.Whole {
		takes, ticks = takes || ticks, false
	}
	if takes || hand {
		buf = append(buf, Move{Kind: Take, Cell: id})
		if mortal && (hand || !w.sc.Hands) {
			buf = append(buf, Move{Kind: Crash, Cell: id})
		}
	}
	if ticks {
		buf = append(buf, Move{Kind: Tick, Cell: id})
		if mortal {
			buf = append(buf, Move{Kind: Crash, Cell: id, N: ofTick})
		}
	}
	return buf
}

// inside says whether a move is made by a cell or an adapter by itself.
func (m Move) inside() bool { return m.Kind == Take || m.Kind == Tick || m.Kind == Serve }

func (w *World) isDue(at time.Time) bool { return !at.IsZero() && !at.After(w.Clock) }

// deadlines lists, in order, the future times at which a cell has something to do.
func (w *World) deadlines(s state) []time.Time {
	var at []time.Time
	for _, p := range s[2:] {
		if p.cell.Ended || p.adapter {
			continue
		}
		for _, due := range []time.Time{p.tick, p.expires} {
			if due.After(w.Clock) && (w.sc.Horizon == 0 || due.Sub(Epoch) <= w.sc.Horizon) {
				at = append(at, due)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return slices.CompactFunc(at, time.Time.Equal)
}

// do makes a move in the state that the node is in.
func (w *World) do(s state, m Move) {
	switch m.Kind {
	case Crash:
		w.Crashes--
		w.dying = m.Cell
		w.run(w.Sys.Lookup(m.Cell), m)
		w.dying = 0
	case Take, Tick:
		w.run(w.Sys.Lookup(m.Cell), m)
	case Serve:
		w.serve(w.Sys.Lookup(m.Cell))
	case Wait:
		w.Clock = w.deadlines(s)[0]
	case Jump:
		w.Jumps--
		w.Clock = w.deadlines(s)[m.N]
		w.Say("the clock jumps to %v", w.Clock.Sub(Epoch))
	case Stop:
		w.Stopped, w.Group = true, -1
		w.Say("the node is told to stop")
		w.stopGroup()
	case Act:
		w.Say("outside: %s", w.Env.Name(m))
		w.Env.Do(w, m)
	}
	if r, is := w.Env.(Reader); is {
		r.Read(w)
	}
	w.observeTickets()
	w.observeBounds()
}

// run gives a cell what it takes next, or its Tick.
func (w *World) run(c *cell.Cell, m Move) {
	w.touched[c.ID] = true
	box, _ := c.Mail.Save()
	for _, call := range box.Owed() { // a late answer changes its asker without a Wake
		w.touched[call.Asker] = true
	}
	gen := c.Save().Gen
	var batch []mailbox.Envelope
	if m.Kind != Tick && m.N != ofTick {
		var done bool
		if batch, done = w.take(c); done {
			return
		}
		w.early = !w.sc.Whole // the Tick is another move
	}
	w.sayRun(c, m.Kind, batch)
	// The bus is told when a cell has taken the last input of a dead one.
	w.busTouched = m.Kind == Crash || w.sc.Mutate != nil || box.Leaving() || slices.ContainsFunc(batch, func(e mailbox.Envelope) bool {
		_, ended := e.In.Body.(actor.Ended)
		return ended
	})
	for _, e := range batch {
		if e.In.Ticket != 0 {
			w.given(c, e.In.Ticket)
		}
	}
	w.Sys.Run(c, w.Clock, batch)
	w.early = false
	if w.sc.Mutate != nil {
		w.sc.Mutate(w, c)
	}
	if c.Ended() || c.Save().Gen != gen {
		w.Sys.Spill(w.Hands[c.ID])
		delete(w.Hands, c.ID)
		w.forgets(c.ID)
		return
	}
	for i := range batch { // the cell lives on, and knows what it was given
		w.observe(c, &batch[i])
	}
}

// Give gives a cell an input of an adapter at once, in the move that is being made. It is
// false if the cell is amid a step or a batch, or is no more.
func (w *World) Give(c *cell.Cell, from actor.ID, body any) bool {
	if c == nil || c.Ended() || len(c.Machine().(*mortal).Held) > 0 || len(w.Hands[c.ID]) > 0 {
		return false
	}
	w.touched[c.ID] = true
	w.Say("%s takes %T at once", c.Name, body)
	w.early = !w.sc.Whole // as in run
	w.Sys.Run(c, w.Clock, []mailbox.Envelope{{In: actor.Input{Body: body, From: from}, Lane: actor.Events}})
	w.early = false
	return true
}

// take returns what the cell handles in this move: its most urgent input, a batch,
// the next input of the batch in its hand, or one more effect. done says that the cell
// has taken a batch and handles nothing yet.
func (w *World) take(c *cell.Cell) (batch []mailbox.Envelope, done bool) {
	hand := w.Hands[c.ID]
	switch {
	case len(c.Machine().(*mortal).Held) > 0:
		return []mailbox.Envelope{{In: actor.Input{Body: further{}}}}, false
	case len(hand) > 0:
		batch = hand[:1:1]
		if w.Hands[c.ID] = hand[1:]; len(hand) == 1 {
			delete(w.Hands, c.ID)
		}
	case w.sc.Whole || w.sc.Hands:
		batch, _, _ = c.Mail.Take(w.Clock, nil)
	default:
		if e, _, ok := c.Mail.TakeFirst(w.Clock); ok {
			batch = append(batch, e)
		}
	}
	if w.sc.Deliver != nil {
		batch = w.sc.Deliver(w, c, batch)
	}
	if w.sc.Hands && len(hand) == 0 && len(batch) > 0 {
		w.Hands[c.ID] = batch
		w.Say("%s takes a batch of %d", c.Name, len(batch))
		return nil, true
	}
	return batch, false
}

func (w *World) sayRun(c *cell.Cell, kind Kind, batch []mailbox.Envelope) {
	if !w.listen {
		return
	}
	how := "takes"
	if kind == Crash {
		how = "dies of"
	}
	if len(batch) == 0 {
		what := "its Tick"
		if w.early {
			what = "nothing: what was queued is dropped"
		}
		w.Say("%s %s %s", c.Name, how, what)
	}
	for _, e := range batch {
		what := fmt.Sprintf("%T", e.In.Body)
		if e.In.Err != nil {
			what += ": " + e.In.Err.Error()
		}
		if e.In.From != 0 {
			what += fmt.Sprintf(" from %v", e.In.From)
		}
		w.Say("%s %s %s", c.Name, how, what)
	}
}

// serve lets an adapter take an answer, or answer its oldest question.
func (w *World) serve(c *cell.Cell) {
	w.touched[c.ID] = true
	e, _, _ := c.Mail.TakeFirst(w.Clock)
	if e.Lane == actor.Answers {
		w.Say("%s is given %T (%v)", c.Name, e.In.Body, e.In.Err)
		if e.In.Ticket != 0 { // zero: a slot has come free
			w.given(c, e.In.Ticket)
		}
		w.Env.Answered(w, c.ID, e.In)
		return
	}
	w.touched[e.In.Call.Asker] = true
	w.Say("%s answers %T of %v", c.Name, e.In.Body, e.In.From)
	w.Sys.Reply(c, e.In.Call, w.Env.Serve(w, c.ID, e.In.Body), nil)
}

// stopGroup stops the cells that come next in the stop order, when all before them
// have ended.
func (w *World) stopGroup() {
	living := w.living()
	if len(living) == 0 {
		return
	}
	group := slices.MinFunc(living, func(a, b *cell.Cell) int { return a.Stop() - b.Stop() }).Stop()
	if group == w.Group {
		return
	}
	w.Group = group
	for _, c := range living {
		if c.Stop() == group {
			w.touched[c.ID] = true
			w.Sys.RequestStop(c, w.Clock)
		}
	}
}
