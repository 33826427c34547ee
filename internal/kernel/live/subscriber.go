package live

import (
	"context"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// subscriber is an adapter that hears topics.
type subscriber struct {
	c    *cell.Cell
	left []mailbox.Envelope // taken, not yet returned
}

// Subscriber returns what the plan's subscriber id hears. It must not be used by
// two goroutines at once.
func (n *Node) Subscriber(id actor.ID) adapter.Subscription {
	return &subscriber{c: n.sys.Lookup(id)}
}

// Next waits for the next event until ctx ends.
func (s *subscriber) Next(ctx context.Context) (any, error) {
	for len(s.left) == 0 {
		var err error
		if s.left, err = await(ctx, s.c, s.left[:0]); err != nil {
			return nil, err
		}
	}
	event := s.left[0].In.Body
	s.left = s.left[1:]
	return event, nil
}
