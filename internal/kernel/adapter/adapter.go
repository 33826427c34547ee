// Package adapter says how the parts that may wait meet the parts that may not.
//
// An adapter is a goroutine that waits for something outside the program: a socket,
// the disk, a name server, an HTTP client. Adapters hold nothing while they wait,
// and each kind is bounded in number. No cell waits for an adapter: cells tell
// adapters (Teller), or ask them (Handler) and get the answer as an input.
package adapter

import (
	"context"

	"acyclic/internal/kernel/actor"
)

// Teller takes what cells tell an adapter. Tell runs on the goroutine of the cell
// that tells: it must not wait, and holds at most a leaf mutex.
type Teller interface {
	Tell(from actor.ID, body any)
}

// Handler answers the questions that cells ask an adapter. Handle runs on one of
// the adapter's workers and may wait. ctx ends when the node stops. It returns the
// answer, whose type the question names.
type Handler interface {
	Handle(ctx context.Context, in actor.Input) (answer any)
}

// HandlerFunc is a Handler.
type HandlerFunc func(ctx context.Context, in actor.Input) (answer any)

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, in actor.Input) any { return f(ctx, in) }

// Cells is how an adapter hands things to cells.
type Cells interface {
	// Deliver puts body into a lane of a cell and never waits. In the
	// Inbound lane bytes are charged to the cell's credit until it has been
	// handled. In the Events lane body replaces one of the same adapter that is
	// still queued. It returns false when the cell is gone, or has no room in
	// the lane.
	Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool

	// AwaitCredit waits until the cell's credit allows another message: how a
	// read pump stops reading its socket (law L5). It returns false when the
	// cell is gone or stop is closed.
	AwaitCredit(to actor.ID, stop <-chan struct{}) bool
}

// Asker is an adapter's right to ask cells. One question at a time may be
// outstanding on each Asker.
type Asker interface {
	// Ask waits for the answer until ctx ends or the port's timeout passes.
	Ask(ctx context.Context, port int, to actor.ID, q, none any) (any, error)
}

// Ask asks p's target through a.
func Ask[Q actor.Question[A, T], A, T any](ctx context.Context, a Asker, p actor.Port[Q, A], q Q) (A, error) {
	return ask[A](ctx, a, p.Index, p.To, q)
}

// AskOf asks a target named at run time.
func AskOf[Q actor.Question[A, T], A, T any](ctx context.Context, a Asker, p actor.PortOf[Q, A, T], to actor.Ref[T], q Q) (A, error) {
	return ask[A](ctx, a, p.Index, actor.ID(to), q)
}

func ask[A any](ctx context.Context, a Asker, port int, to actor.ID, q any) (A, error) {
	var none A
	body, err := a.Ask(ctx, port, to, q, none)
	if err != nil {
		return none, err
	}
	return body.(A), nil
}

// Subscription is what an adapter hears of the State and Stream topics to which it
// subscribes in the wiring. A slow reader gets the latest value of each State, and
// actor.Lagged for what a Stream dropped (law L6). No publisher waits for it.
type Subscription interface {
	// Next waits for the next event. It returns ctx's error when ctx ends and
	// actor.ErrGone when the node has stopped. One goroutine may use it.
	Next(ctx context.Context) (event any, err error)
}
