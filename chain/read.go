package chain

import (
	"acyclic/internal/kernel/actor"
)

// onGetTips answers from the state, as soon as it is known.
func (m *Machine) onGetTips(in actor.Input, out *actor.Outbox) {
	m.wantsTips = append(m.wantsTips, in.Call)
	switch {
	case m.started:
		m.answerTips(out)
	case m.failed != "":
		m.refuseTips(out)
	}
}

func (m *Machine) answerTips(out *actor.Outbox) {
	for _, call := range m.wantsTips {
		GetTips{}.Call(actor.Input{Call: call}).Answer(out, m.tips)
	}
	m.wantsTips = nil
}

func (m *Machine) refuseTips(out *actor.Outbox) {
	for _, call := range m.wantsTips {
		GetTips{}.Call(actor.Input{Call: call}).Refuse(out)
	}
	m.wantsTips = nil
}

// readQuestion is a question that a reader answers with an A.
type readQuestion[A any] interface {
	actor.Question[A]
	Call(actor.Input) actor.Call[A]
}

// forward passes a question on to the engine and notes who asked. There is
// always a place, unless the engine is so slow that questions have timed out
// there: then the caller is refused.
func forward[Q readQuestion[A], A any](m *Machine, in actor.Input, port actor.Port[Q, A], q Q, out *actor.Outbox) {
	t, ok := port.Ask(out, q)
	if !ok {
		q.Call(in).Refuse(out)
		return
	}
	m.reads[t] = in.Call
}

// deliver passes the engine's answer on to who asked.
func deliver[A any](m *Machine, in actor.Input, a A, out *actor.Outbox) {
	call := actor.Asks[A]{}.Call(actor.Input{Call: m.reads[in.Ticket]})
	delete(m.reads, in.Ticket)
	if in.Err != nil {
		call.Refuse(out)
		return
	}
	call.Answer(out, a)
}
