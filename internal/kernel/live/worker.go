package live

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// work is the life of one worker of an adapter: it takes a question, lets the handler wait,
// and answers.
func (n *Node) work(c *cell.Cell, hand int, h adapter.Handler) {
	label(c)
	for {
		e, what := c.Mail.TakeOne()
		switch what {
		case mailbox.Over:
			return
		case mailbox.Asleep:
			c.Local.(*local).nap(time.Time{}, nil)
			continue
		}
		c.Begin(hand, e.In, time.Now())
		body, trace := handle(n.ctx, h, e.In)
		if trace == "" && !actor.Fits(e.In.Body, body) {
			trace = fmt.Sprintf("it answers %T with %T", e.In.Body, body)
		}
		c.End(hand)
		var err error
		if trace != "" {
			err = actor.ErrGone
			n.sys.Died(c, trace, 0)
		}
		n.sys.Reply(c, e.In.Call, body, err)
	}
}

// handle runs a handler, which may wait. It returns a panic with its stack (law
// L11). A cell's steps are contained elsewhere, so that no path leads from them to
// what may wait.
func handle(ctx context.Context, h adapter.Handler, in actor.Input) (body any, panicked string) {
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	return h.Handle(ctx, in), ""
}
