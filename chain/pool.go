package chain

import "acyclic/internal/kernel/actor"

// What is asked about the pool of transactions. Each kind has one slot at the worker, so
// a block that comes waits for one question of each kind at most, and mostly for none.

func (m *Machine) onSubmitTx(q SubmitTx, call actor.Call[TxVerdict], out *actor.Outbox) {
	if m.failed != "" {
		m.failTx(q.ID, call, out)
		return
	}
	m.txs.push(q, call)
}

// onTxApplied answers a transaction. If the worker was slow, it is asked again at the old
// position, as a block is: the verdict is TxKnown if the first try had succeeded after all.
func (m *Machine) onTxApplied(in actor.Input, a TxApplied, out *actor.Outbox) {
	it := m.txs.take(in.Key)
	switch m.outcome(in, a.Changes, out) {
	case done:
		it.call.Answer(out, a.Verdict)
	case late:
		m.txs.back(it)
	case hopeless:
		m.failTx(it.q.ID, it.call, out)
	}
}

func (m *Machine) failTx(id TxID, call actor.Call[TxVerdict], out *actor.Outbox) {
	call.Answer(out, TxVerdict{ID: id, Code: TxFatal, Reason: "fatal", Detail: m.failed})
}

func (m *Machine) onGetTxOut(q GetTxOut, call actor.Call[TxOut], out *actor.Outbox) {
	hold(m, &m.outs, q, call, out)
}

func (m *Machine) onPrioritise(q Prioritise, call actor.Call[Prioritised], out *actor.Outbox) {
	hold(m, &m.priorities, q, call, out)
}

func (m *Machine) onSavePool(q SavePool, call actor.Call[PoolSaved], out *actor.Outbox) {
	hold(m, &m.saves, q, call, out)
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

// hold queues a question that is asked once. A failed chain refuses it.
func hold[Q, A any](m *Machine, queue *queue[Q, A], q Q, call actor.Call[A], out *actor.Outbox) {
	if m.failed != "" {
		call.Refuse(out)
		return
	}
	queue.push(q, call)
}

// pass answers a question that is asked once. If the worker was slow, it is refused, and
// who asked may ask again. Chain must not: a priority would be added twice.
func pass[Q, A any](m *Machine, queue *queue[Q, A], in actor.Input, c Changes, answer A, out *actor.Outbox) {
	it := queue.take(in.Key)
	if m.outcome(in, c, out) == done {
		it.call.Answer(out, answer)
	} else {
		it.call.Refuse(out)
	}
}

// refuseAll refuses what waits in a queue.
func refuseAll[Q, A any](queue *queue[Q, A], out *actor.Outbox) {
	for _, it := range queue.drop() {
		it.call.Refuse(out)
	}
}
