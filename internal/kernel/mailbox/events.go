package mailbox

import (
	"acyclic/internal/kernel/actor"
)

// stateKey names a State's value, or the latest of an adapter (topic 0).
type stateKey struct {
	topic actor.TopicID
	key   uint64
}

// streamState is a subscription at work.
type streamState struct {
	Stream
	queued  int
	lagging bool
	missed  uint64
}

// putEvent queues a State's value, which replaces an older one, or a Stream's event unless
// the subscriber lags.
func (b *Box) putEvent(e *Envelope) bool {
	if s := b.streamOf(e.Topic); s != nil {
		b.putStream(s, e)
		return true
	}
	k := stateKey{e.Topic, e.In.Key}
	_, queued := b.latest[k]
	if !queued && len(b.latest) == b.states {
		b.counts.Refused++
		return false
	}
	b.latest[k] = *e
	if !queued { // otherwise the reader has been slow since the first value was queued
		*b.lanes[actor.Events].push() = Envelope{In: actor.Input{Key: e.In.Key}, Topic: e.Topic, Lane: actor.Events, Queued: e.Queued}
	}
	return true
}

func (b *Box) putStream(s *streamState, e *Envelope) {
	switch {
	case s.lagging:
		s.missed++
	case s.queued == s.Cap:
		s.lagging, s.missed = true, 1
		*b.lanes[actor.Events].push() = Envelope{Topic: e.Topic, Lag: true, Lane: actor.Events, Queued: e.Queued}
	default:
		s.queued++
		*b.lanes[actor.Events].push() = *e
	}
}

// streamOf finds a subscription by its topic. It returns nil if that is no Stream.
func (b *Box) streamOf(topic actor.TopicID) *streamState {
	for i := range b.stream {
		if s := &b.stream[i]; s.Topic == topic {
			return s
		}
	}
	return nil
}

func (b *Box) takenEvent(e *Envelope) {
	if s := b.streamOf(e.Topic); s != nil {
		s.queued--
		return
	}
	k := stateKey{e.Topic, e.In.Key}
	*e = b.latest[k]
	delete(b.latest, k)
}

func (b *Box) takenLag(e *Envelope) {
	s := b.streamOf(e.Topic)
	e.In.Body = actor.Lagged{Topic: e.Topic, N: s.missed}
	b.counts.Missed += s.missed
	s.lagging, s.missed = false, 0
}
