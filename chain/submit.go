package chain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// onSubmit takes a submission into the queue. The queue is bounded by what the
// callers' ports may have outstanding.
func (m *Machine) onSubmit(s submission, out *actor.Outbox) {
	if m.failed != "" {
		m.answerFatal(s, out)
		return
	}
	s.number = m.next
	m.next++
	m.queue = append(m.queue, s)
}

// pump asks the worker for what can be asked now, first come first served.
func (m *Machine) pump(now time.Time, out *actor.Outbox) {
	if !m.wants() {
		return
	}
	m.retry = now.Add(m.cfg.Retry)
	if m.behind && m.catchUp == 0 {
		if t, ok := m.ports.CatchUp.Ask(out, CatchUp{Seen: m.seen}); ok {
			m.catchUp, m.behind = t, false
		}
	}
	for len(m.queue) > 0 && len(m.asked) < m.cfg.Window {
		t, ok := m.ask(m.queue[0], out)
		if !ok {
			return // each answer, or Deadline, brings us back
		}
		m.asked[t] = m.queue[0]
		m.queue = slices.Delete(m.queue, 0, 1)
	}
}

func (m *Machine) ask(s submission, out *actor.Outbox) (actor.Ticket, bool) {
	if s.block != nil {
		return m.ports.Blocks.Ask(out, ApplyBlock{Block: s.block, Hash: s.hash, Source: s.source, Seen: m.seen})
	}
	return m.ports.Headers.Ask(out, ApplyHeaders{Headers: s.headers, Seen: m.seen})
}

func (m *Machine) onHeadersApplied(in actor.Input, a HeadersApplied, out *actor.Outbox) {
	if s, ok := m.take(in, a.Changes, out); ok {
		SubmitHeaders{}.Call(actor.Input{Call: s.call}).Answer(out, a.Verdict)
	}
}

func (m *Machine) onBlockApplied(in actor.Input, a BlockApplied, out *actor.Outbox) {
	if s, ok := m.take(in, a.Changes, out); ok {
		SubmitBlock{}.Call(actor.Input{Call: s.call}).Answer(out, a.Verdict)
	}
}

func (m *Machine) onCaughtUp(in actor.Input, a CaughtUp, out *actor.Outbox) {
	m.catchUp = 0
	switch {
	case errors.Is(in.Err, actor.ErrTimeout):
		m.behind = true
	case in.Err != nil:
		m.fail("the engine has stopped", out)
	default:
		m.changed(a.Changes, out)
	}
}

// take ends the worker's question that in answers. It returns the submission
// when there is a verdict for it.
func (m *Machine) take(in actor.Input, c Changes, out *actor.Outbox) (submission, bool) {
	s := m.asked[in.Ticket]
	delete(m.asked, in.Ticket)
	switch {
	case m.failed != "":
		m.answerFatal(s, out)
		return s, false
	case errors.Is(in.Err, actor.ErrTimeout):
		// The worker is slow, and may still do it. Both the submission and
		// what else may have changed are asked for again.
		m.requeue(s)
		m.behind = m.catchUp == 0 // an open CatchUp stands behind it at the worker
		out.Log(actor.Warn, "the engine is slow", "waiting", len(m.queue)+len(m.asked))
		return s, false
	case in.Err != nil:
		m.fail("the engine has stopped", out)
		m.answerFatal(s, out)
		return s, false
	}
	m.changed(c, out)
	return s, true
}

// requeue puts a submission back where it was: before all that came after it.
func (m *Machine) requeue(s submission) {
	i, _ := slices.BinarySearchFunc(m.queue, s, inOrder)
	m.queue = slices.Insert(m.queue, i, s)
}

func inOrder(a, b submission) int { return cmp.Compare(a.number, b.number) }

// changed publishes what the worker reports, each event once.
func (m *Machine) changed(c Changes, out *actor.Outbox) {
	m.publish(c, out)
	if !m.started || c.Tips != m.tips {
		m.tips, m.started = c.Tips, true
		m.topics.Tips.Set(out, 0, m.tips)
		m.answerTips(out)
	}
	if c.Fatal != "" {
		m.fail(c.Fatal, out)
	}
}

func (m *Machine) publish(c Changes, out *actor.Outbox) {
	// first is the number of the event before c.Events. It is beyond seen only
	// when this machine has been rebuilt and the worker knows what had been
	// seen before.
	first := c.Last - uint64(len(c.Events))
	if c.Last < m.seen {
		panic(fmt.Sprintf("chain: the worker is at event %d, %d have been seen", c.Last, m.seen))
	}
	fresh := c.Events
	if first < m.seen {
		fresh = c.Events[m.seen-first:]
	}
	disconnected := 0
	for _, e := range fresh {
		if _, is := e.(BlockDisconnected); is {
			disconnected++
		}
		m.topics.Blocks.Publish(out, e)
	}
	m.seen = c.Last
	if disconnected > 0 {
		out.Log(actor.Info, "the best chain was reorganised", "disconnected", disconnected,
			"connected", len(fresh)-disconnected, "height", c.Tips.Block.Height, "tip", c.Tips.Block.Hash)
	}
}

// fail halts the node: without its engine it is of no use. Everything that
// waits for the worker is answered.
func (m *Machine) fail(why string, out *actor.Outbox) {
	if m.failed != "" {
		return
	}
	m.failed = why
	out.Log(actor.Error, "the chain cannot go on", "error", why)
	out.Halt(errors.New(why))
	for _, s := range m.queue {
		m.answerFatal(s, out)
	}
	m.queue = nil
	m.refuseTips(out)
}

func (m *Machine) answerFatal(s submission, out *actor.Outbox) {
	to := actor.Input{Call: s.call}
	if s.block != nil {
		SubmitBlock{}.Call(to).Answer(out, Verdict{Hash: s.hash, Code: Fatal, Reason: "fatal", Detail: m.failed, Tip: m.tips.Block})
		return
	}
	SubmitHeaders{}.Call(to).Answer(out, HeadersVerdict{Best: m.tips.Header, Code: Fatal, Reason: "fatal", Detail: m.failed})
}
