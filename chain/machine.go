package chain

import (
	"errors"
	"fmt"
	"time"

	"acyclic/internal/kernel/actor"
)

// Machine is the chain processor. It is plain data.
type Machine struct {
	ports  Ports
	topics Topics

	// What was asked and needs the worker. pump says in which order.
	headers   queue[SubmitHeaders, HeadersVerdict]
	blocks    queue[SubmitBlock, Verdict]
	templates queue[GetTemplate, Template]

	// The same about the pool of transactions.
	txs        queue[SubmitTx, TxVerdict]
	outs       queue[GetTxOut, TxOut]
	priorities queue[Prioritise, Prioritised]
	saves      queue[SavePool, PoolSaved]

	// What the worker has reported.
	tips       Tips // known when started
	started    bool
	seen       uint64 // the number of the last event published
	behind     bool   // an answer was lost: CatchUp is to be asked
	catchingUp bool   // CatchUp has been asked
	failed     string // why the engine is of no use any more; "" while it works

	wantsTips []actor.Call[Tips] // GetTips that wait for started
}

// New returns the machine.
func New(ports Ports, topics Topics) *Machine {
	return &Machine{ports: ports, topics: topics}
}

// Step handles one input.
func (m *Machine) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		m.behind = true // the worker may have been working for a while
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick: // never due
	case actor.Freed: // pump asks again

	case SubmitHeaders:
		m.onSubmitHeaders(b, b.Call(in), out)
	case SubmitBlock:
		m.onSubmitBlock(b, b.Call(in), out)
	case GetTips:
		m.onGetTips(b.Call(in), out)
	case GetTemplate:
		m.onGetTemplate(b, b.Call(in), out)
	case SubmitTx:
		m.onSubmitTx(b, b.Call(in), out)
	case GetTxOut:
		m.onGetTxOut(b, b.Call(in), out)
	case Prioritise:
		m.onPrioritise(b, b.Call(in), out)
	case SavePool:
		m.onSavePool(b, b.Call(in), out)

	case HeadersApplied:
		m.onHeadersApplied(in, b, out)
	case BlockApplied:
		m.onBlockApplied(in, b, out)
	case CaughtUp:
		m.onCaughtUp(in, b, out)
	case Made:
		m.onMade(in, b, out)
	case TxApplied:
		m.onTxApplied(in, b, out)
	case TxOutFound:
		m.onTxOutFound(in, b, out)
	case PriorityApplied:
		m.onPriorityApplied(in, b, out)
	case PoolWritten:
		m.onPoolWritten(in, b, out)

	default:
		panic(fmt.Sprintf("chain: cannot handle %T", b))
	}
	m.pump(out)
}

// Deadline is never: chain waits only for answers and free slots, and the kernel
// brings both.
func (m *Machine) Deadline() time.Time { return time.Time{} }

// Check verifies the invariants.
func (m *Machine) Check() error {
	switch {
	case (m.started || m.failed != "") && len(m.wantsTips) > 0:
		return errors.New("chain: GetTips waits though its answer is known")
	case m.behind && m.catchingUp:
		return errors.New("chain: CatchUp has been asked and is still to be asked")
	}
	for _, kind := range [...]int{len(m.txs.asked), len(m.outs.asked), len(m.priorities.asked), len(m.saves.asked)} {
		if kind > 1 {
			return fmt.Errorf("chain: a block may have to wait for %d questions of a kind", kind)
		}
	}
	failed := m.failed != ""
	return errors.Join(m.headers.check(failed), m.blocks.check(failed), m.templates.check(failed),
		m.txs.check(failed), m.outs.check(failed), m.priorities.check(failed), m.saves.check(failed))
}

// onGetTips answers from the state as soon as it is known.
func (m *Machine) onGetTips(call actor.Call[Tips], out *actor.Outbox) {
	switch {
	case m.started:
		call.Answer(out, m.tips)
	case m.failed != "":
		call.Refuse(out)
	default:
		m.wantsTips = append(m.wantsTips, call)
	}
}
