package chain

import "acyclic/internal/kernel/actor"

// What is asked about the pool of transactions. Each kind has one slot at the worker, so
// a block that comes waits for one question of each kind at most, and mostly for none.

func (m *Machine) onSubmitTx(q SubmitTx, call actor.Call[TxVerdict], out *actor.Outbox) {
	hold(m, &m.txs, q, call, m.failTx, out)
}

// onTxApplied answers a transaction. If the worker was slow, it is asked again at the old
// position, as a block is: the verdict is TxKnown if the first try had succeeded after all.
func (m *Machine) onTxApplied(in actor.Input, a TxApplied, out *actor.Outbox) {
	again(m, &m.txs, in, a.Changes, a.Verdict, m.failTx, out)
}

func (m *Machine) failTx(q SubmitTx, call actor.Call[TxVerdict], out *actor.Outbox) {
	call.Answer(out, TxVerdict{ID: q.ID, Code: TxFatal, Reason: "fatal", Detail: m.failed})
}

func (m *Machine) onGetTxOut(q GetTxOut, call actor.Call[TxOut], out *actor.Outbox) {
	hold(m, &m.outs, q, call, refuse, out)
}

func (m *Machine) onPrioritise(q Prioritise, call actor.Call[Prioritised], out *actor.Outbox) {
	hold(m, &m.priorities, q, call, refuse, out)
}

func (m *Machine) onSavePool(q SavePool, call actor.Call[PoolSaved], out *actor.Outbox) {
	hold(m, &m.saves, q, call, refuse, out)
}

func (m *Machine) onTxOutFound(in actor.Input, a TxOutFound, out *actor.Outbox) {
	pass(m, &m.outs, in, a.Changes, a.TxOut, out)
}

func (m *Machine) onPriorityApplied(in actor.Input, a PriorityApplied, out *actor.Outbox) {
	pass(m, &m.priorities, in, a.Changes, Prioritised{}, out)
}

func (m *Machine) onPoolWritten(in actor.Input, a PoolWritten, out *actor.Outbox) {
	pass(m, &m.saves, in, a.Changes, a.PoolSaved, out)
}
