package netsync

import (
	"math/rand/v2"
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// parts is a machine of which a test calls the trackers by hand. What they ask finds
// slots without end, and nobody answers.
type parts struct {
	*Machine
	out *actor.Outbox
	tr  *tree
}

// newParts returns the parts of a machine that knows these peers, and a chain of one
// block.
func newParts(ids ...actor.ID) *parts {
	ports, _ := testPorts()
	p := &parts{
		Machine: New(DefaultBounds(), ports, Topics{Status: actor.State[Status]{ID: 9}}, rand.New(rand.NewPCG(1, 2))),
		out:     actor.NewOutbox(&benchHost{}),
		tr:      newTree(),
	}
	p.now = steptest.Epoch
	p.tips = chain.Tips{Block: p.tr.genesis.Point, Header: p.tr.genesis.Point}
	p.out.Begin(p.now)
	for _, id := range ids {
		p.onReady(peer.Ready{Peer: id, Services: services})
	}
	return p
}

// lead makes the span the way to a tip. Peers that have proved the tip have all of it.
func (p *parts) lead(to *node) {
	p.route.target = to.Point
	p.route.turnTo(to.Point)
	var points []chain.Point
	for n := to; n.parent != nil; n = n.parent {
		points = append(points, n.Point)
	}
	slices.Reverse(points)
	p.span.extend(points)
	p.route.path.last, p.route.path.complete = to.Hash, true
	for _, r := range p.ready {
		if r.best.Hash == to.Hash {
			r.share(to.Height, to.Hash)
		}
	}
}

// step steps the machine with an input.
func (p *parts) step(body any) {
	p.out.Begin(p.now)
	p.Step(p.now, actor.Input{Body: body}, p.out)
}

// questions returns the questions of a type since the last look.
func questions[Q any](p *parts) (all []Q) {
	for _, e := range p.out.Effects() {
		if q, is := e.Body.(Q); is && e.Kind == actor.Ask {
			all = append(all, q)
		}
	}
	p.out.Begin(p.now)
	return all
}

// clock returns the time to which a tracker sets the clock, counted from now; zero:
// to none.
func (p *parts) clock(deadlines func(*actor.Earliest)) time.Duration {
	d := actor.EarliestAfter(p.now)
	deadlines(&d)
	if d.At().IsZero() {
		return 0
	}
	return d.At().Sub(p.now)
}
