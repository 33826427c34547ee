package chain

import (
	"errors"
	"fmt"

	"acyclic/internal/kernel/actor"
)

func (m *Machine) onSubmitHeaders(q SubmitHeaders, call actor.Call[HeadersVerdict], out *actor.Outbox) {
	hold(m, &m.headers, q, call, m.failHeaders, out)
}

func (m *Machine) onSubmitBlock(q SubmitBlock, call actor.Call[Verdict], out *actor.Outbox) {
	hold(m, &m.blocks, q, call, m.failBlock, out)
}

func (m *Machine) onGetTemplate(q GetTemplate, call actor.Call[Template], out *actor.Outbox) {
	hold(m, &m.templates, q, call, refuse, out)
}

// pump asks the worker whatever can be asked now. What was missed comes first, then
// headers and blocks, then what the pool is asked, then templates. No kind starves: each
// has slots that no other kind can take (law L8). A transaction is asked though blocks
// wait here, and stands behind those that the worker has.
func (m *Machine) pump(out *actor.Outbox) {
	if m.failed != "" {
		return
	}
	if m.behind {
		_, m.catchingUp = m.ports.CatchUp.Ask(out, 0, CatchUp{Seen: m.seen})
		m.behind = !m.catchingUp
	}
	m.headers.send(func(key uint64, q SubmitHeaders) bool {
		_, ok := m.ports.Headers.Ask(out, key, ApplyHeaders{Headers: q.Headers, Seen: m.seen})
		return ok
	})
	m.blocks.send(func(key uint64, q SubmitBlock) bool {
		_, ok := m.ports.Blocks.Ask(out, key, ApplyBlock{Payload: q.Payload, Hash: q.Hash, Source: q.Source, Test: q.Test, Seen: m.seen})
		return ok
	})
	m.txs.send(func(key uint64, q SubmitTx) bool {
		_, ok := m.ports.Txs.Ask(out, key, ApplyTx{Tx: q.Tx, ID: q.ID, Source: q.Source, Orphan: q.Orphan, Test: q.Test, Ours: q.Ours, Added: q.Added, Seen: m.seen})
		return ok
	})
	m.outs.send(func(key uint64, q GetTxOut) bool {
		_, ok := m.ports.TxOut.Ask(out, key, FindTxOut{Out: q.Out, Pool: q.Pool, Seen: m.seen})
		return ok
	})
	m.priorities.send(func(key uint64, q Prioritise) bool {
		_, ok := m.ports.Priority.Ask(out, key, ApplyPriority{TxID: q.TxID, Delta: q.Delta, Seen: m.seen})
		return ok
	})
	m.templates.send(func(key uint64, q GetTemplate) bool {
		_, ok := m.ports.Template.Ask(out, key, MakeTemplate{Time: q.Time, Txs: q.Txs, Seen: m.seen})
		return ok
	})
	m.saves.send(func(key uint64, _ SavePool) bool {
		_, ok := m.ports.SavePool.Ask(out, key, WritePool{Seen: m.seen})
		return ok
	})
}

func (m *Machine) onHeadersApplied(in actor.Input, a HeadersApplied, out *actor.Outbox) {
	again(m, &m.headers, in, a.Changes, a.Verdict, m.failHeaders, out)
}

func (m *Machine) onBlockApplied(in actor.Input, a BlockApplied, out *actor.Outbox) {
	again(m, &m.blocks, in, a.Changes, a.Verdict, m.failBlock, out)
}

func (m *Machine) onCaughtUp(in actor.Input, a CaughtUp, out *actor.Outbox) {
	m.catchingUp = false
	m.outcome(in, a.Changes, out)
}

// onMade passes a template on. If the worker does not make it in time, it is
// refused: the miner asks again.
func (m *Machine) onMade(in actor.Input, a Made, out *actor.Outbox) {
	pass(m, &m.templates, in, a.Changes, a.Template, out)
}

// outcome is how a question to the worker ended.
type outcome uint8

const (
	done     outcome = iota // with an answer
	late                    // without one: it is to be asked again
	hopeless                // the engine has failed
)

// outcome takes in what an answer of the worker brings besides its verdict.
func (m *Machine) outcome(in actor.Input, c Changes, out *actor.Outbox) outcome {
	switch {
	case m.failed != "":
		return hopeless
	case in.Err == actor.ErrTimeout:
		// The worker is slow, and may still carry it out. The lost answer may
		// have brought changes. They come with a CatchUp, which the worker takes
		// up after the question that timed out.
		m.behind = !m.catchingUp
		out.Log(actor.Warn, "the engine is slow", "headers", m.headers.len(), "blocks", m.blocks.len(), "transactions", m.txs.len())
		return late
	case in.Err != nil:
		m.fail("the engine has stopped", out)
		return hopeless
	}
	m.changed(c, out)
	if m.failed != "" {
		return hopeless
	}
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
	// first is the number of the event before c.Events. It is larger than seen
	// only if this machine has been rebuilt: the worker knows what its predecessor
	// had seen.
	first := c.Last - uint64(len(c.Events))
	if c.Last < m.seen {
		panic(fmt.Sprintf("chain: the worker is at event %d, %d have been seen", c.Last, m.seen))
	}
	fresh := c.Events
	if first < m.seen {
		fresh = c.Events[m.seen-first:]
	}
	connected, disconnected := 0, 0
	for _, e := range fresh {
		switch e := e.(type) {
		case TxEvent:
			m.topics.Txs.Publish(out, e)
			continue
		case BlockConnected:
			connected++
		case BlockDisconnected:
			disconnected++
		}
		m.topics.Blocks.Publish(out, e)
	}
	m.seen = c.Last
	if disconnected > 0 {
		out.Log(actor.Info, "the best chain was reorganised", "disconnected", disconnected,
			"connected", connected, "height", c.Tips.Block.Height, "tip", c.Tips.Block.Hash)
	}
}

// fail halts the node, which is of no use without its engine. It answers all that
// waits for the worker.
func (m *Machine) fail(why string, out *actor.Outbox) {
	m.failed = why
	out.Log(actor.Error, "the chain cannot go on", "error", why)
	out.Halt(errors.New(why))
	endAll(&m.headers, m.failHeaders, out)
	endAll(&m.blocks, m.failBlock, out)
	endAll(&m.txs, m.failTx, out)
	endAll(&m.templates, refuse, out)
	endAll(&m.outs, refuse, out)
	endAll(&m.priorities, refuse, out)
	endAll(&m.saves, refuse, out)
	for _, call := range m.wantsTips {
		call.Refuse(out)
	}
	m.wantsTips = nil
}

func (m *Machine) failHeaders(_ SubmitHeaders, call actor.Call[HeadersVerdict], out *actor.Outbox) {
	call.Answer(out, HeadersVerdict{Best: m.tips.Header, Code: Fatal, Reason: "fatal", Detail: m.failed})
}

func (m *Machine) failBlock(q SubmitBlock, call actor.Call[Verdict], out *actor.Outbox) {
	call.Answer(out, Verdict{Hash: q.Hash, Code: Fatal, Reason: "fatal", Detail: m.failed, Tip: m.tips.Block})
}
