package netsync

import (
	"container/heap"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// world is chain and some peers around one machine, in virtual time.
type world struct {
	*steptest.Rig
	t    testing.TB
	rng  *rand.Rand
	m    actor.Machine
	c    *fakeChain
	tip  *node // of the honest peers
	evil map[kind]*node

	events  eventHeap
	seq     int
	peers   map[actor.ID]*worldPeer
	nextID  actor.ID
	busy    time.Time // the engine works until then
	flaky   bool      // chain fails now and then
	problem string
}

// ask is an open question and the bench of the machine that asked it.
type ask struct {
	steptest.Asked
	rig *steptest.Rig
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].seq < h[j].seq
}

func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *eventHeap) Push(x any) { *h = append(*h, x.(event)) }

func (h *eventHeap) Pop() any {
	e := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return e
}

func newWorld(t testing.TB, seed uint64, broken breaker) *world {
	rng := rand.New(rand.NewPCG(seed, 77))
	tr := newTree()
	w := &world{t: t, rng: rng, evil: map[kind]*node{}, peers: map[actor.ID]*worldPeer{}, nextID: 10}
	n := []int{1, 30, 100, 300}[rng.IntN(4)]
	if rng.IntN(20) == 0 {
		n = wire.MaxBlockHeadersPerMsg + 100 // costs the most time
	}
	w.tip = tr.grow(tr.genesis, n, 1)
	branch := func() *node { return tr.grow(w.tip.at(w.rng.Int32N(w.tip.Height+1)), 1+rng.IntN(20), 5000) }
	w.evil[withhold], w.evil[denier], w.evil[forger] = branch(), branch(), branch()
	bad := w.evil[forger]
	for !w.tip.has(bad.parent) {
		bad = bad.parent
	}
	bad.flaw = chain.Invalid // its first own block: a valid part would be the best chain

	w.c, w.flaky = newFakeChain(tr), rng.IntN(2) == 0
	w.build(steptest.Epoch, broken)
	for w.flaky && rng.IntN(2) == 0 {
		w.after(w.upTo(10*time.Minute), func() { w.build(w.Now, broken) })
	}
	for range 1 + rng.IntN(6) {
		k := kind(rng.IntN(int(numKinds)))
		w.after(w.upTo(5*time.Minute), func() { w.join(k, 3) })
	}
	w.after(w.upTo(10*time.Minute), func() { w.join(honest, 1000) })
	return w
}

// build puts a machine on the bench, at first and again after each crash. A new
// one is told which peers are ready and what the tips are. The answers that the old one
// waited for are lost.
func (w *world) build(now time.Time, broken breaker) {
	cfg := DefaultBounds()
	cfg.Span, cfg.HeldBytes = 64, 40*blockSize
	ports, specs := testPorts()
	m := New(cfg, ports, Topics{Status: actor.State[Status]{ID: 9}}, rand.New(rand.NewPCG(w.rng.Uint64(), 1)))
	w.m = m
	if broken != nil {
		w.m = broken(m)
	}
	w.Rig = steptest.New(w.t, w.m, specs)
	if broken != nil {
		w.Leave() // it is the world that has to find out
	}
	w.Now = now
	w.perform()
	for _, id := range slices.Sorted(maps.Keys(w.peers)) {
		p := w.peers[id]
		clear(p.open)
		w.give(peer.Ready{Peer: id, Services: services})
	}
	w.give(w.c.tips())
}

func (w *world) late(a ask) {
	if a.rig == w.Rig {
		w.Late(a.Asked)
	}
}

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rng.Int64N(int64(d))) }

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.events, event{at: w.Now.Add(d), seq: w.seq, do: do})
}

// next performs the next event or tick; false: nothing more before end.
func (w *world) next(end time.Time) bool {
	at := w.m.Deadline()
	if len(w.events) > 0 && (at.IsZero() || !w.events[0].at.After(at)) {
		e := heap.Pop(&w.events).(event)
		if e.at.After(end) {
			return false
		}
		if e.at.After(w.Now) {
			w.Now = e.at
		}
		e.do()
		return true
	}
	if at.IsZero() || at.After(end) {
		return false
	}
	if at.After(w.Now) {
		w.Now = at
	}
	w.give(actor.Tick{})
	return true
}

func (w *world) give(body any) {
	w.Rig.Give(body)
	w.perform()
}

func (w *world) settle(a ask, answer any, err error) {
	switch {
	case a.rig != w.Rig: // the machine that asked is dead
		return
	case err != nil:
		w.Fail(a.Asked, err)
	default:
		w.Reply(a.Asked, answer)
	}
	w.perform()
}

func (w *world) perform() {
	todo := slices.Clone(w.Pending())
	w.Drop()
	for _, e := range todo {
		if end, ok := e.Body.(actor.End); ok {
			w.onEnd(e.To, end)
		}
		if e.Kind != actor.Ask {
			continue
		}
		a := ask{steptest.AskedBy(e), w.Rig}
		switch q := e.Body.(type) {
		case peer.Send:
			w.onSend(a, q)
		default:
			w.onChain(a, q)
		}
	}
}

// onChain has the engine or a reader answer.
func (w *world) onChain(a ask, q any) {
	took := w.upTo(20 * time.Millisecond)
	switch q.(type) {
	case chain.SubmitBlock, chain.SubmitHeaders:
		if w.busy.Before(w.Now) {
			w.busy = w.Now
		}
		w.busy = w.busy.Add(took / 4)
		took = w.busy.Sub(w.Now)
	}
	if w.flaky && w.rng.IntN(100) == 0 {
		w.failChain(a, q)
		return
	}
	w.after(took, func() {
		was := w.c.tips()
		w.settle(a, w.c.answer(q), nil)
		if now := w.c.tips(); now != was {
			w.after(w.upTo(5*time.Millisecond), func() { w.give(w.c.tips()) })
		}
	})
}

// failChain lets a question die, with or without what was asked having happened.
func (w *world) failChain(a ask, q any) {
	if w.rng.IntN(2) == 0 {
		w.c.answer(q)
	}
	if w.rng.IntN(2) == 0 {
		w.after(time.Minute, func() {
			w.settle(a, nil, actor.ErrTimeout)
			w.after(w.upTo(time.Minute), func() { w.late(a) })
		})
		return
	}
	w.c.rebuild()
	w.after(w.upTo(time.Second), func() {
		w.settle(a, nil, actor.ErrGone)
		w.give(w.c.tips())
	})
}
