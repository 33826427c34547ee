package netsync

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// headers tracks which peers are asked for headers and when, and which headers
// wait to be judged (judge.go). Every reason to ask a peer only moves the time at
// which it is due, askAt.
type headers struct {
	*facts
	rng   *rand.Rand
	queue []*remote // whose headers wait to be judged, in order
	meter meter     // of new headers
}

type remoteHeaders struct {
	ask      askPhase
	locator  []*chainhash.Hash // askReady
	deadline time.Time         // askWaiting
	askAt    time.Time         // when it is to be asked next; in the past: as soon as there is room
	lastAsk  time.Time

	more      bool        // its last answer was full: it has more for us
	ranOut    bool        // its last answer was not full: it has proved its tip
	jumping   bool        // it was asked from our best header and not from its own
	jumpTo    chain.Point // ... which is this
	jumped    bool        // ... and that did not help: it is on another branch
	fromBlock bool        // its last answer was empty: ask from our best block
	late      int         // questions in a row without an answer
	strange   int         // headers messages in a row that did not connect
	useless   int         // full answers in a row that brought nothing new

	batch   receivedHeaders  // waits to be judged
	judging submittedHeaders // is being judged by chain
}

// askPhase is where a getheaders is.
type askPhase uint8

const (
	askIdle     askPhase = iota
	askLocating          // chain makes the locator
	askReady             // it goes out with the next Send
	askWaiting           // the peer has been asked
)

// idle ends a getheaders, in whatever phase it is.
func (r *remoteHeaders) idle() { r.ask, r.deadline, r.locator = askIdle, time.Time{}, nil }

// askBy makes the remote due at a time, if it is not due before.
func (r *remoteHeaders) askBy(at time.Time) {
	if at.Before(r.askAt) {
		r.askAt = at
	}
}

// fetching says whether the remote counts as a fetcher: it has been asked, and
// its answer has not been judged. What it announces does not count. Otherwise two
// peers that announce without end would keep all others from being asked.
func (r *remoteHeaders) fetching() bool {
	return r.ask != askIdle || r.batch.answer || r.judging.answer
}

// due says whether the peer is to be asked. A client that serves nothing is not.
func (t *headers) due(p *remote) bool {
	r := &p.headers
	return p.serves && r.ask == askIdle && !r.batch.waits() && r.judging.n == 0 &&
		!t.now.Before(r.askAt) && p.canSend(t.now)
}

// survey says whether some peer has more headers for us, and whether some peer
// has run out of them.
func (t *headers) survey() (more, ranOut bool) {
	for _, p := range t.ready {
		more = more || p.headers.more
		ranOut = ranOut || p.headers.ranOut
	}
	return more, ranOut
}

// recent says whether the best header is so young that not many can be missing.
func (t *headers) recent() bool { return t.now.Before(t.oldAt()) }

// oldAt is when the best header stops being recent.
func (t *headers) oldAt() time.Time { return t.tips.Header.Time.Add(t.cfg.RecentTip) }

// plan asks the peers that are due, as many as may be asked at a time. Those that
// have more for us come first, then those that have failed least. The first step of
// a getheaders is its locator, which chain makes.
func (t *headers) plan(port actor.Port[chain.GetLocator, chain.Locator], out *actor.Outbox) {
	room, n := t.cfg.Fetchers, 0
	for _, p := range t.ready {
		room -= btoi(p.headers.fetching())
		n += btoi(t.due(p))
	}
	if n == 0 {
		return // as in nearly every step
	}
	if more, ranOut := t.survey(); t.recent() || ranOut && !more {
		room = n
	}
	if room <= 0 {
		return
	}
	due := make([]*remote, 0, n)
	for _, p := range t.ready {
		if t.due(p) {
			due = append(due, p)
		}
	}
	slices.SortStableFunc(due, func(a, b *remote) int {
		return cmp.Or(
			cmp.Compare(btoi(b.headers.more), btoi(a.headers.more)),
			cmp.Compare(a.headers.late+a.headers.useless, b.headers.late+b.headers.useless),
			b.best.Work.Cmp(a.best.Work),
		)
	})
	for _, p := range due[:min(room, len(due))] {
		q, jumping := t.locatorFor(p)
		if _, ok := port.Ask(out, uint64(p.id), q); !ok {
			return
		}
		p.headers.ask, p.headers.jumping = askLocating, jumping
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// locatorFor returns the question for a peer's locator.
//
// A peer that is in the middle of sending us its headers is asked from its own last
// one. All others are asked from the parent of our best header, so that a peer that
// has that header answers with it at least. Otherwise an empty answer would mean
// one of two things: the peer has nothing better, or nothing at all (Bitcoin Core
// does the same).
func (t *headers) locatorFor(p *remote) (q chain.GetLocator, jumping bool) {
	r := &p.headers
	switch {
	case r.more && (r.jumped || p.common.Hash != p.best.Hash || p.best.Hash == t.tips.Header.Hash):
		return chain.GetLocator{From: p.best.Hash}, false
	case !r.more && r.fromBlock:
		return chain.GetLocator{From: t.tips.Block.Hash, Parent: true}, false
	}
	return chain.GetLocator{Parent: true}, true
}

// onLocator readies the getheaders for the next Send.
func (t *headers) onLocator(in actor.Input, l chain.Locator) {
	p := t.find(actor.ID(in.Key))
	if p == nil {
		return
	}
	r := &p.headers
	if len(l.Hashes) == 0 {
		// Chain may not know the header to start from any more, if it did answer.
		r.ask, r.more, r.fromBlock, r.jumping = askIdle, r.more && in.Err != nil, false, false
		r.askAt = t.now.Add(t.cfg.Retry)
		return
	}
	r.ask, r.locator, r.jumpTo = askReady, l.Hashes, l.Tip
}

// sent notes that the getheaders, if one was ready, has gone out. If nothing else
// comes up, the peer is asked again after about StaleTip, so that a lost
// announcement never stops us (law L9).
func (t *headers) sent(p *remote) {
	r := &p.headers
	if r.ask != askReady {
		return
	}
	r.ask, r.locator = askWaiting, nil
	r.lastAsk, r.deadline = t.now, t.now.Add(t.cfg.HeadersTimeout)
	r.askAt = t.now.Add(t.cfg.StaleTip + time.Duration(t.rng.Int64N(int64(t.cfg.StaleTip)/4)))
}

// notSent notes that the last Send, and a getheaders in it, was lost.
func (t *headers) notSent(p *remote) {
	if r := &p.headers; r.ask == askReady || r.ask == askWaiting {
		r.idle()
		r.askAt = t.now.Add(t.cfg.Pause)
	}
}

// expire gives up on answers that are late. The next peer that is due takes over.
func (t *headers) expire() {
	for _, p := range t.ready {
		r := &p.headers
		if r.ask != askWaiting || t.now.Before(r.deadline) {
			continue
		}
		r.idle()
		r.more, r.ranOut = false, false
		r.late++
		r.askAt = t.now.Add(t.cfg.Pause << min(r.late, 7))
		if r.late >= t.cfg.MaxLate && p.chosen {
			// A peer that came to us may be syncing from us. btcd and older
			// versions of Core do not answer until they are done.
			t.drop(p, "does not answer getheaders", false)
		}
	}
}

// askSoon makes the peer due, but not more often than MinAsk.
func (t *headers) askSoon(p *remote) {
	p.headers.askBy(p.headers.lastAsk.Add(t.cfg.MinAsk))
}

// onInv asks a peer that announces an unknown block for its headers.
func (t *headers) onInv(inv peer.InvReceived, s *span) {
	p := t.find(inv.Peer)
	if p != nil && slices.ContainsFunc(inv.Blocks, func(h chainhash.Hash) bool {
		if h == p.best.Hash || h == t.tips.Block.Hash {
			return false
		}
		e := s.find(h) // of a block that we want, its headers prove that it may be asked for it
		return e == nil || e.at.Work.Cmp(p.best.Work) > 0
	}) {
		t.askSoon(p)
	}
}

// forget drops the headers of a peer that wait to be judged.
func (t *headers) forget(p *remote) {
	t.queue = slices.DeleteFunc(t.queue, func(q *remote) bool { return q == p })
}

func (t *headers) deadlines(d *actor.Earliest) {
	d.Add(t.oldAt())
	for _, p := range t.ready {
		switch p.headers.ask {
		case askIdle:
			d.Add(p.headers.askAt)
		case askWaiting:
			d.Add(p.headers.deadline)
		}
	}
}

func (t *headers) check() error {
	waiting := 0
	for _, p := range t.ready {
		r := &p.headers
		switch {
		case (r.ask == askWaiting) != !r.deadline.IsZero():
			return fmt.Errorf("peer %v: phase %d with deadline %v", p.id, r.ask, r.deadline.UTC())
		case r.batch.waits() != slices.Contains(t.queue, p):
			return fmt.Errorf("peer %v: %d headers wait, queued: %v", p.id, len(r.batch.headers), !r.batch.waits())
		case len(r.batch.headers) > t.cfg.HeadersPerMessage || len(r.locator) > peer.MaxLocator:
			return fmt.Errorf("peer %v: %d headers wait, locator of %d", p.id, len(r.batch.headers), len(r.locator))
		}
		waiting += btoi(r.batch.waits())
	}
	if waiting != len(t.queue) {
		return errors.New("a peer waits twice for its headers to be judged, or is gone")
	}
	return nil
}
