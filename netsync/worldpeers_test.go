package netsync

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// kind is how a peer of the little world behaves.
type kind int

const (
	honest   kind = iota // answers everything, at its own speed
	flapper              // honest, but leaves again and again
	behind               // honest, but does not have the last blocks
	silent               // answers nothing
	empty                // answers with no headers, has no blocks
	stopper              // honest for some blocks, then silent
	withhold             // proves a heavier branch and keeps its blocks
	denier               // ... and says notfound
	forger               // serves a heavier branch with an invalid block
	mutator              // serves blocks with a wrong body
	babbler              // announces what does not connect
	deaf                 // does not read
	numKinds
)

type worldPeer struct {
	id      actor.ID
	kind    kind
	tip     *node
	rtt     time.Duration
	each    time.Duration // per block
	line    time.Time     // its line is busy until then
	left    int           // blocks a stopper delivers
	rejoins int
	open    map[actor.Ticket]ask
	gone    bool
}

func (w *world) join(k kind, rejoins int) {
	w.nextID++
	p := &worldPeer{
		id: w.nextID, kind: k, rejoins: rejoins, tip: w.tip, left: w.rng.IntN(20),
		rtt: w.upTo(300*time.Millisecond) + 1, each: w.upTo(50*time.Millisecond) + 1,
		open: map[actor.Ticket]ask{},
	}
	if k == behind {
		p.tip = w.tip.at(w.rng.Int32N(w.tip.Height + 1))
	}
	if n := w.evil[k]; n != nil {
		p.tip = n
	}
	w.peers[p.id] = p
	w.give(peer.Ready{Peer: p.id, Services: services, Height: w.rng.Int32()})
	switch k {
	case flapper:
		w.after(w.upTo(20*time.Second), func() { w.leave(p) })
	case babbler:
		w.babble(p, 200)
	}
}

// leave ends a connection: its questions end with ErrGone, before or after Gone.
func (w *world) leave(p *worldPeer) {
	if p.gone {
		return
	}
	p.gone = true
	delete(w.peers, p.id)
	goneFirst := w.rng.IntN(2) == 0
	if goneFirst {
		w.give(peer.Gone{Peer: p.id})
	}
	for _, t := range slices.Sorted(maps.Keys(p.open)) {
		a := p.open[t]
		delete(p.open, t)
		w.settle(a, nil, actor.ErrGone)
	}
	if !goneFirst {
		w.give(peer.Gone{Peer: p.id})
	}
	if p.rejoins > 0 {
		w.after(w.upTo(time.Minute), func() { w.join(p.kind, p.rejoins-1) })
	}
}

func (w *world) babble(p *worldPeer, n int) {
	if p.gone || n == 0 {
		return
	}
	stray := w.c.t.grow(w.c.t.genesis, 3, 1)
	if w.rng.IntN(2) == 0 {
		w.give(peer.InvReceived{Peer: p.id, Blocks: hashesOf(stray)})
	} else {
		w.give(peer.HeadersReceived{Peer: p.id, Headers: stray.locate(nil)[2:]})
	}
	w.after(w.upTo(10*time.Second), func() { w.babble(p, n-1) })
}

// onEnd has the connection end. Its Gone is certain to come.
func (w *world) onEnd(id actor.ID, end actor.End) {
	p := w.peers[id]
	if p == nil {
		return
	}
	if end.Fault && (p.kind == honest || p.kind == flapper || p.kind == behind) {
		w.problem = "an honest peer is called faulty: " + end.Reason
	}
	w.after(w.upTo(time.Second), func() { w.leave(p) })
}

func (w *world) onSend(a ask, q peer.Send) {
	p := w.peers[a.To]
	if p == nil {
		w.after(0, func() { w.settle(a, nil, actor.ErrGone) })
		return
	}
	p.open[a.Ticket] = a
	sent := func(err error) func() {
		return func() {
			if p.open[a.Ticket].rig == a.rig { // and not a question of a machine built since
				delete(p.open, a.Ticket)
				w.settle(a, peer.Sent{}, err)
				if err == actor.ErrTimeout {
					w.after(time.Minute, func() { w.late(a) })
				}
			}
		}
	}
	switch {
	case p.kind == deaf:
		w.after(time.Minute, sent(actor.ErrTimeout))
		return
	case w.rng.IntN(50) == 0:
		w.after(w.upTo(time.Millisecond), sent(actor.ErrBusy))
		return
	}
	w.after(w.upTo(time.Millisecond), sent(nil))
	for _, msg := range q.Msgs {
		switch msg := msg.(type) {
		case *wire.MsgGetHeaders:
			w.onGetHeaders(p, msg)
		case *wire.MsgGetData:
			w.onGetData(p, msg)
		}
	}
}

// receive gives the machine something from a peer, in the order of its line.
func (w *world) receive(p *worldPeer, took time.Duration, body any) {
	if at := w.Now.Add(p.rtt); p.line.Before(at) {
		p.line = at
	}
	p.line = p.line.Add(took)
	w.after(p.line.Sub(w.Now), func() {
		if !p.gone {
			w.give(body)
		}
	})
}

func (w *world) onGetHeaders(p *worldPeer, q *wire.MsgGetHeaders) {
	switch p.kind {
	case silent:
		return
	case empty:
		w.receive(p, 0, peer.HeadersReceived{Peer: p.id, Asked: true})
		return
	}
	w.receive(p, 0, peer.HeadersReceived{Peer: p.id, Headers: p.tip.locate(q.BlockLocatorHashes), Asked: true})
}

func (w *world) onGetData(p *worldPeer, q *wire.MsgGetData) {
	var lacks []chainhash.Hash
	for _, i := range q.InvList {
		n := w.c.t.nodes[i.Hash]
		b := n.sent(p.id, blockSize, true)
		switch {
		case !p.tip.has(n):
			w.problem = fmt.Sprintf("peer %v is asked for a block that it did not prove", p.id)
			return
		case p.kind == denier:
			lacks = append(lacks, i.Hash)
			continue
		case p.kind == withhold || p.kind == silent || p.kind == empty:
			continue
		case p.kind == stopper:
			if p.left--; p.left < 0 {
				continue
			}
		case p.kind == mutator:
			b = mutated(b)
		}
		w.receive(p, p.each, b)
	}
	if lacks != nil {
		w.receive(p, 0, peer.NotFoundReceived{Peer: p.id, Blocks: lacks})
	}
}

// growTip finds new blocks. Some announcements are lost.
func (w *world) growTip() {
	w.tip = w.c.t.grow(w.tip, 1+w.rng.IntN(3), 1)
	for _, id := range slices.Sorted(maps.Keys(w.peers)) {
		p := w.peers[id]
		if p.kind != honest && p.kind != flapper {
			continue
		}
		p.tip = w.tip
		switch w.rng.IntN(3) {
		case 0:
			w.receive(p, 0, peer.InvReceived{Peer: id, Blocks: hashesOf(w.tip)})
		case 1:
			w.receive(p, 0, peer.HeadersReceived{Peer: id, Headers: []*wire.BlockHeader{w.tip.header}})
		}
	}
}
