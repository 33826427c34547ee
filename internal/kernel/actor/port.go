package actor

import (
	"fmt"
	"time"
)

// PortSpec describes what a cell may have outstanding on one port.
type PortSpec struct {
	Name     string        // "netsync.submit", for reports
	Question string        // its type: "chain.SubmitBlock", for reports
	To       ID            // the target; zero when Ask names it (AskOf)
	Window   int           // questions outstanding at most, those that timed out and are still owed included
	Timeout  time.Duration // after which the question ends in ErrTimeout
}

// Port is the right to ask questions of type Q. It is plain data; the wiring
// makes it with Connect.
type Port[Q Question[A], A any] struct {
	To      ID            // zero for a port whose target is named by AskOf
	Index   int           // position among the ports of its owner
	Timeout time.Duration // of each question
}

// Ports collects the ports of one cell while it is wired.
type Ports struct{ Specs []PortSpec }

// Connect adds a port to p. With to zero the target is named in each AskOf.
func Connect[Q Question[A], A any](p *Ports, name string, to ID, window int, timeout time.Duration) Port[Q, A] {
	var q Q
	p.Specs = append(p.Specs, PortSpec{Name: name, Question: fmt.Sprintf("%T", q), To: to, Window: window, Timeout: timeout})
	return Port[Q, A]{To: to, Index: len(p.Specs) - 1, Timeout: timeout}
}

// Free says how many more questions may be asked now. A question that timed
// out still takes its place until the target has answered or died (law L3), so
// this can be less than the window minus the questions the machine waits for.
func (p Port[Q, A]) Free(out *Outbox) int { return out.host.Free(p.Index) }

// Ask asks the port's target. ok is false when no place is free: nothing was
// asked. Otherwise the answer comes as an input of type A with this ticket,
// exactly once (law L2).
func (p Port[Q, A]) Ask(out *Outbox, q Q) (t Ticket, ok bool) { return p.AskOf(out, p.To, q) }

// AskOf asks a target named at run time.
func (p Port[Q, A]) AskOf(out *Outbox, to ID, q Q) (t Ticket, ok bool) {
	call, ok := out.host.Reserve(p.Index, to, out.now.Add(p.Timeout), q.noAnswer())
	if !ok {
		return 0, false
	}
	out.add(Effect{Kind: Ask, To: to, Call: call, Body: q})
	return Ticket(call.Seq), true
}
