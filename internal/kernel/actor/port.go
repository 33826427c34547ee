package actor

import (
	"fmt"
	"time"
)

// PortSpec describes what a cell may have outstanding on one port.
type PortSpec struct {
	Name     string        // "netsync.block", for reports
	Question string        // its type: "chain.SubmitBlock", for reports
	To       ID            // the target; zero: each Ask names one
	Window   int           // questions outstanding at most, with those that timed out and are still owed
	Timeout  time.Duration // after which the question ends in ErrTimeout
}

// Ports collects the ports of one cell while it is wired.
type Ports struct{ Specs []PortSpec }

func (p *Ports) add(name string, q any, to ID, window int, timeout time.Duration) (index int) {
	p.Specs = append(p.Specs, PortSpec{Name: name, Question: fmt.Sprintf("%T", q), To: to, Window: window, Timeout: timeout})
	return len(p.Specs) - 1
}

// Port is the right to ask one target questions of type Q. It is plain data.
// The wiring makes it with Connect.
type Port[Q answered[A], A any] struct {
	To      ID
	Index   int           // position among the ports of its owner
	Timeout time.Duration // of each question
}

// Connect adds a port to p whose questions all go to one target.
func Connect[Q Question[A, T], A, T any](p *Ports, name string, to Ref[T], window int, timeout time.Duration) Port[Q, A] {
	var q Q
	return Port[Q, A]{To: ID(to), Index: p.add(name, q, ID(to), window, timeout), Timeout: timeout}
}

// Free says how many more questions may be asked now. A question that timed
// out keeps its slot until the target has answered or died (law L3).
func (p Port[Q, A]) Free(out *Outbox) int { return out.host.Free(p.Index) }

// Ask asks the port's target. The answer comes as an input of type A with this
// ticket and key, exactly once (law L2). The key says what the question is about,
// for example a peer's ID. ok is false if no slot is free: nothing was asked. The
// next answer or Freed brings a free slot.
func (p Port[Q, A]) Ask(out *Outbox, key uint64, q Q) (t Ticket, ok bool) {
	return out.ask(p.Index, p.To, p.Timeout, key, q, q.noAnswer())
}

// PortOf is the right to ask any cell that answers T's questions, such as the
// cells of all connections. ConnectOf makes it.
type PortOf[Q Question[A, T], A, T any] struct {
	Index   int
	Timeout time.Duration
}

// ConnectOf adds a port to p whose target is named in each Ask.
func ConnectOf[Q Question[A, T], A, T any](p *Ports, name string, window int, timeout time.Duration) PortOf[Q, A, T] {
	var q Q
	return PortOf[Q, A, T]{Index: p.add(name, q, 0, window, timeout), Timeout: timeout}
}

// Free says how many more questions may be asked now, of all targets together.
func (p PortOf[Q, A, T]) Free(out *Outbox) int { return out.host.Free(p.Index) }

// Ask is Port.Ask with a target.
func (p PortOf[Q, A, T]) Ask(out *Outbox, to Ref[T], key uint64, q Q) (t Ticket, ok bool) {
	return out.ask(p.Index, ID(to), p.Timeout, key, q, q.noAnswer())
}
