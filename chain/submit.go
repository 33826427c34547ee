package chain

import (
	"errors"
	"fmt"

	"acyclic/internal/kernel/actor"
)

func (m *Machine) onSubmitHeaders(q SubmitHeaders, call actor.Call[HeadersVerdict], out *actor.Outbox) {
	w := headersWork{call: call, headers: q.Headers}
	if m.failed != "" {
		m.failHeaders(w, out)
		return
	}
	m.headers.push(w)
}

func (m *Machine) onSubmitBlock(q SubmitBlock, call actor.Call[Verdict], out *actor.Outbox) {
	w := blockWork{call: call, block: q.Block, hash: q.Hash, source: q.Source}
	if m.failed != "" {
		m.failBlock(w, out)
		return
	}
	m.blocks.push(w)
}

func (m *Machine) onGetTemplate(q GetTemplate, call actor.Call[Template], out *actor.Outbox) {
	if m.failed != "" {
		call.Refuse(out)
		return
	}
	m.templates.push(templateWork{call: call, time: q.Time})
}

// pump asks the worker for what can be asked now: headers and blocks before
// anything else. What comes after them still advances, because each kind has slots
// that no other kind can take (law L8).
func (m *Machine) pump(out *actor.Outbox) {
	if m.failed != "" {
		return
	}
	if m.behind && !m.catchingUp {
		if _, ok := m.ports.CatchUp.Ask(out, 0, CatchUp{Seen: m.seen}); ok {
			m.catchingUp, m.behind = true, false
		}
	}
	m.headers.send(func(key uint64, w headersWork) bool {
		_, ok := m.ports.Headers.Ask(out, key, ApplyHeaders{Headers: w.headers, Seen: m.seen})
		return ok
	})
	m.blocks.send(func(key uint64, w blockWork) bool {
		_, ok := m.ports.Blocks.Ask(out, key, ApplyBlock{Block: w.block, Hash: w.hash, Source: w.source, Seen: m.seen})
		return ok
	})
	m.templates.send(func(key uint64, w templateWork) bool {
		_, ok := m.ports.Template.Ask(out, key, MakeTemplate{Time: w.time})
		return ok
	})
}

func (m *Machine) onHeadersApplied(in actor.Input, a HeadersApplied, out *actor.Outbox) {
	it := m.headers.take(in.Key)
	switch m.outcome(in, a.Changes, out) {
	case done:
		it.work.call.Answer(out, a.Verdict)
	case again:
		m.headers.back(it)
	case hopeless:
		m.failHeaders(it.work, out)
	}
}

func (m *Machine) onBlockApplied(in actor.Input, a BlockApplied, out *actor.Outbox) {
	it := m.blocks.take(in.Key)
	switch m.outcome(in, a.Changes, out) {
	case done:
		it.work.call.Answer(out, a.Verdict)
	case again:
		m.blocks.back(it)
	case hopeless:
		m.failBlock(it.work, out)
	}
}

func (m *Machine) onCaughtUp(in actor.Input, a CaughtUp, out *actor.Outbox) {
	m.catchingUp = false
	if m.outcome(in, a.Changes, out) == again {
		m.behind = true
	}
}

// onMade passes a template on. One that the worker does not make in time is
// refused: a miner asks again.
func (m *Machine) onMade(in actor.Input, a Made, out *actor.Outbox) {
	call := m.templates.take(in.Key).work.call
	if in.Err != nil {
		call.Refuse(out)
		return
	}
	call.Answer(out, a.Template)
}

// outcome is what became of a question to the worker.
type outcome uint8

const (
	done     outcome = iota
	again            // it is to be asked once more
	hopeless         // the engine has failed
)

// outcome takes what a worker's answer brings besides its verdict.
func (m *Machine) outcome(in actor.Input, c Changes, out *actor.Outbox) outcome {
	switch {
	case m.failed != "":
		return hopeless
	case errors.Is(in.Err, actor.ErrTimeout):
		// The worker is slow, and may still do it. Both the question and what
		// else may have changed are asked for again. An open CatchUp stands
		// behind the question at the worker.
		m.behind = !m.catchingUp
		out.Log(actor.Warn, "the engine is slow", "headers", len(m.headers.waits), "blocks", len(m.blocks.waits))
		return again
	case in.Err != nil:
		m.fail("the engine has stopped", out)
		return hopeless
	}
	m.changed(c, out)
	return done
}

// changed publishes what the worker reports, each event once.
func (m *Machine) changed(c Changes, out *actor.Outbox) {
	m.publish(c, out)
	if !m.started || c.Tips != m.tips {
		m.tips, m.started = c.Tips, true
		m.topics.Tips.Set(out, 0, m.tips)
		for _, call := range m.wantsTips {
			call.Answer(out, m.tips)
		}
		m.wantsTips = nil
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
	for _, it := range m.headers.drop() {
		m.failHeaders(it.work, out)
	}
	for _, it := range m.blocks.drop() {
		m.failBlock(it.work, out)
	}
	for _, it := range m.templates.drop() {
		it.work.call.Refuse(out)
	}
	for _, call := range m.wantsTips {
		call.Refuse(out)
	}
	m.wantsTips = nil
}

func (m *Machine) failHeaders(w headersWork, out *actor.Outbox) {
	w.call.Answer(out, HeadersVerdict{Best: m.tips.Header, Code: Fatal, Reason: "fatal", Detail: m.failed})
}

func (m *Machine) failBlock(w blockWork, out *actor.Outbox) {
	w.call.Answer(out, Verdict{Hash: w.hash, Code: Fatal, Reason: "fatal", Detail: m.failed, Tip: m.tips.Block})
}
