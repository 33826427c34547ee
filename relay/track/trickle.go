package track

import (
	"math/rand/v2"
	"time"
)

// Poisson is the time until the next of events that come by themselves, in mean a time
// apart: what has passed since the last one tells nothing of when the next one comes.
func Poisson(rng *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(mean))
}

// Trickle says when peers are told of transactions: at random times, so that who hears of
// a transaction first does not tell where it came from, and many go in one message.
type Trickle struct {
	cfg     Bounds
	inbound time.Time // the next time for all peers that connected to us
}

// NewTrickle returns a trickle.
func NewTrickle(b Bounds) *Trickle { return &Trickle{cfg: b} }

// Next is when a peer is told next, seen from when it was told last, or came. A peer that
// we connected to has a time of its own. The others share one (Core's
// NextInvToInbounds).
func (t *Trickle) Next(now time.Time, rng *rand.Rand, inbound bool) time.Time {
	if !inbound {
		return now.Add(Poisson(rng, t.cfg.TrickleOutbound))
	}
	if !t.inbound.After(now) {
		t.inbound = now.Add(Poisson(rng, t.cfg.TrickleInbound))
	}
	return t.inbound
}
