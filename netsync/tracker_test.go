package netsync

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// unit is a machine of which a test calls the trackers by hand: advance does not run,
// unless step is called. What they ask finds slots without end, and nobody answers.
type unit struct {
	*Machine
	out *actor.Outbox
	tr  *tree
	tip *node // of the path that newUnit makes
}

// bareUnit returns a machine that knows these peers, has a chain of one block, and goes
// nowhere.
func bareUnit(ids ...actor.ID) *unit {
	ports, _ := testPorts()
	u := &unit{
		Machine: New(DefaultBounds(), ports, Topics{Status: actor.State[Status]{ID: 9}}, rand.New(rand.NewPCG(1, 2))),
		out:     actor.NewOutbox(&benchHost{}), tr: newTree(),
	}
	u.now = steptest.Epoch
	u.tips = chain.Tips{Block: u.tr.genesis.Point, Header: u.tr.genesis.Point}
	u.out.Begin(u.now)
	for _, id := range ids {
		u.onReady(peer.Ready{Peer: id, Services: services})
	}
	return u
}

// newUnit returns a machine whose span holds a path of n blocks. Nobody has been asked
// for any.
func newUnit(n int) *unit {
	u := bareUnit()
	u.tip = u.tr.grow(u.tr.genesis, n, 1)
	u.tips.Header = u.tip.Point
	u.lead(u.tip)
	return u
}

// lead makes the span the way to a tip. Peers that have proved the tip have all of it.
func (u *unit) lead(to *node) {
	u.route.target = to.Point
	u.route.turnTo(to.Point)
	var points []chain.Point
	for n := to; n.parent != nil; n = n.parent {
		points = append(points, n.Point)
	}
	slices.Reverse(points)
	u.span.extend(points)
	u.route.path.last, u.route.path.complete = to.Hash, true
	for _, r := range u.ready {
		if r.best.Hash == to.Hash {
			r.share(to.Height, to.Hash)
		}
	}
}

// step steps the machine with an input.
func (u *unit) step(body any) {
	u.out.Begin(u.now)
	u.Step(u.now, actor.Input{Body: body}, u.out)
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
		u.span.hold(n.Hash, make([]byte, size), 1, u.cfg.HeldBytes)
	}
}

// entryAt is the span's entry of the block at a height.
func (u *unit) entryAt(height int32) *entry { return u.span.find(u.tip.at(height).Hash) }

// asks returns the questions of a type that come of what is done.
func asks[Q any](u *unit, do func()) []Q { return effects[Q](u, actor.Ask, do) }

// effects returns the bodies of a type, of the effects of a kind that come of what is
// done.
func effects[B any](u *unit, kind actor.EffectKind, do func()) (all []B) {
	u.out.Begin(u.now)
	do()
	for _, e := range u.out.Effects() {
		if b, is := e.Body.(B); is && e.Kind == kind {
			all = append(all, b)
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
