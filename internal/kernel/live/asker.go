package live

import (
	"context"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// asker is an adapter that asks cells, one question at a time.
type asker struct {
	n *Node
	c *cell.Cell
}

// Asker returns the right to ask of the plan's asker id. It must not be used by
// two goroutines at once.
func (n *Node) Asker(id actor.ID) adapter.Asker { return &asker{n, n.sys.Lookup(id)} }

// Ask waits for the answer until ctx ends or the port's timeout passes.
//
// correctness: an adapter waits here, holding nothing. The port's timeout bounds
// it. An answer that comes later frees the slot and is dropped.
func (a *asker) Ask(ctx context.Context, port int, to actor.ID, q, none any) (any, error) {
	now := time.Now()
	a.collect(now)
	spec := a.c.Ports()[port]
	call, ok := a.c.Mail.Reserve(port, to, 0, now.Add(spec.Timeout), none)
	if !ok {
		return none, actor.ErrBusy // earlier questions are still owed
	}
	a.n.sys.Ask(a.c, call, to, q)
	var buf []mailbox.Envelope
	for {
		batch, err := await(ctx, a.c, buf[:0])
		if err != nil {
			return none, err
		}
		for i := range batch {
			if batch[i].In.Ticket == actor.Ticket(call.Seq) {
				return batch[i].In.Body, batch[i].In.Err
			}
		}
	}
}

// await takes the next batch of a mailbox that an adapter's goroutine empties.
// The batch may be empty.
//
// correctness: an adapter waits here, holding nothing, until something is put
// into the mailbox, ctx ends, or a question times out.
func await(ctx context.Context, c *cell.Cell, buf []mailbox.Envelope) ([]mailbox.Envelope, error) {
	now := time.Now()
	batch, next, what := c.Mail.Take(now, buf)
	switch what {
	case mailbox.Over:
		return nil, actor.ErrGone
	case mailbox.Asleep:
		if c.Local.(*local).nap(earlier(time.Time{}, next, now), ctx.Done()) == stopped {
			return nil, ctx.Err()
		}
	}
	return batch, nil
}

// collect drops the answers to questions that were given up. They keep their
// slots until they have been taken.
func (a *asker) collect(now time.Time) {
	var buf []mailbox.Envelope
	for {
		if _, _, what := a.c.Mail.Take(now, buf[:0]); what != mailbox.Awake {
			return
		}
	}
}
