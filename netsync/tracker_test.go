package netsync

import (
	"math/rand/v2"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// unit is a machine whose trackers the test calls one by one: advance does not run.
// The span holds a path of blocks, and nobody has been asked for any.
type unit struct {
	*Machine
	out *actor.Outbox
	tr  *tree
	tip *node
}

func newUnit(n int) *unit {
	ports, _ := testPorts()
	u := &unit{
		Machine: New(DefaultBounds(), ports, Topics{Status: actor.State[Status]{ID: 9}}, rand.New(rand.NewPCG(1, 2))),
		out:     actor.NewOutbox(&benchHost{}), tr: newTree(),
	}
	u.tip = u.tr.grow(u.tr.genesis, n, 1)
	u.now = steptest.Epoch
	u.tips.Block, u.tips.Header = u.tr.genesis.Point, u.tip.Point
	u.route.target, u.route.path.to = u.tip.Point, u.tip.Point
	for h := int32(1); h <= u.tip.Height; h++ {
		u.span.extend(points(u.tip.at(h)))
		u.route.path.last = u.tip.at(h).Hash
	}
	u.route.path.complete = true
	return u
}

// join adds a peer that has proved the path up to a height. It takes as long for a
// block; zero: it has not delivered any.
func (u *unit) join(id actor.ID, height int32, perBlock time.Duration) *remote {
	u.onReady(peer.Ready{Peer: id, Services: services})
	p := u.find(id)
	p.best, p.common = u.tip.at(height).Point, u.tip.at(height).Point
	p.share(height, u.tip.Hash)
	if perBlock > 0 {
		p.orders.rate = rate{blocks: 8, busy: 8 * perBlock.Seconds()}
	}
	return p
}

// hold has the span hold the blocks from a height to another.
func (u *unit) hold(from, to int32, size int) {
	for h := from; h <= to; h++ {
		n := u.tip.at(h)
		u.span.hold(n.Hash, n.block(), size, 1, u.cfg.HeldBytes)
	}
}

// entryAt is the span's entry of the block at a height.
func (u *unit) entryAt(height int32) *entry { return u.span.find(u.tip.at(height).Hash) }

// asks returns the questions of a type that come of what is done.
func asks[Q any](u *unit, do func()) (all []Q) {
	u.out.Begin(u.now)
	do()
	for _, e := range u.out.Effects() {
		if q, ok := e.Body.(Q); ok {
			all = append(all, q)
		}
	}
	return all
}

// wantSound fails the test if the trackers do not agree.
func (u *unit) wantSound(t *testing.T) {
	t.Helper()
	if err := u.Check(); err != nil {
		t.Error(err)
	}
}

// deadlineOf is the first deadline that a tracker names.
func deadlineOf(u *unit, deadlines func(*actor.Earliest)) time.Time {
	d := actor.EarliestAfter(u.now)
	deadlines(&d)
	return d.At()
}
