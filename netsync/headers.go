package netsync

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Each peer has a time, askAt, at which it is due to be asked for headers. All
// the reasons to ask only move that time: the peer is new, it has more, it
// announced something unknown, it was late, some minutes have passed. So there
// is no peer that is "the" sync peer and nothing to switch when one fails:
// whoever is due next takes over.

// planHeaders asks those who are due, as many as may be asked at a time.
func (m *Machine) planHeaders(now time.Time, out *actor.Outbox) {
	busy, more, proved := 0, 0, false
	due := 0
	for _, p := range m.ready {
		if p.leaving {
			continue
		}
		if p.fetching() {
			busy++
		} else if p.due(now) {
			due++
		}
		if p.more {
			more++
		}
		proved = proved || p.ranOut
	}
	room := m.cfg.Fetchers - busy
	if m.recent(now) || proved && more == 0 {
		room = len(m.ready)
	}
	if due == 0 || room <= 0 {
		return
	}
	for _, p := range m.nextToAsk(now, room) {
		if !m.askLocator(p, out) {
			return
		}
	}
}

// recent says whether the best header is so young that not many can be missing.
func (m *Machine) recent(now time.Time) bool {
	return now.Sub(m.tips.Header.Time) < m.cfg.RecentTip
}

// fetching says whether the peer takes a fetcher's turn: it has been asked, and
// what it answered has not been judged. What it announces takes nobody's turn,
// or two that announce without end would keep all others from being asked.
func (p *peerState) fetching() bool {
	return p.ask != askIdle || p.batch.queued && p.batch.answer || p.judging.n > 0 && p.judging.answer
}

func (p *peerState) queuedOrJudged() bool { return p.batch.queued || p.judging.n > 0 }

// due says whether the peer is to be asked. A client that serves nothing is not.
func (p *peerState) due(now time.Time) bool {
	return (p.full || p.limited) && p.ask == askIdle && !p.queuedOrJudged() &&
		!now.Before(p.askAt) && p.canSend(now)
}

// nextToAsk returns up to n of the peers that are due, the most promising
// first: those that have more for us, then those that have failed least.
func (m *Machine) nextToAsk(now time.Time, n int) []*peerState {
	var due []*peerState
	for _, p := range m.ready {
		if p.due(now) {
			due = append(due, p)
		}
	}
	slices.SortStableFunc(due, func(a, b *peerState) int {
		return cmp.Or(
			-cmp.Compare(btoi(a.more), btoi(b.more)),
			cmp.Compare(a.late+a.useless, b.late+b.useless),
			-a.best.Work.Cmp(b.best.Work),
		)
	})
	return due[:min(n, len(due))]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// askLocator takes the first step of a getheaders: chain makes the locator.
//
// Unless it is in the middle of sending us its headers, a peer is asked from
// the parent of our best header, so that one who has that header answers with
// it at least. Otherwise an empty answer would say either that the peer has
// nothing better or that it has nothing at all (Bitcoin Core does the same).
func (m *Machine) askLocator(p *peerState, out *actor.Outbox) bool {
	q, jump := chain.GetLocator{Parent: true}, true
	switch {
	case p.more && (p.jumped || p.common.Hash != p.best.Hash || p.best.Hash == m.tips.Header.Hash):
		q, jump = chain.GetLocator{From: p.best.Hash}, false
	case !p.more && p.fromBlock:
		q.From, jump = m.tips.Block.Hash, false
	}
	if _, ok := m.ports.Locator.Ask(out, uint64(p.id), q); !ok {
		return false
	}
	p.ask, p.jumping = askLocating, jump
	return true
}

// onLocator readies the getheaders for the next Send.
func (m *Machine) onLocator(now time.Time, in actor.Input, l chain.Locator) {
	p := m.about(in)
	if p == nil || p.leaving {
		return
	}
	if in.Err != nil || len(l.Hashes) == 0 {
		// Chain may not know the header to start from any more.
		p.ask, p.more, p.fromBlock, p.jumping = askIdle, p.more && in.Err != nil, false, false
		p.askAt = now.Add(m.cfg.Retry)
		return
	}
	p.ask, p.locator, p.jumpTo = askReady, l.Hashes, l.Tip
}

// expireHeaders gives up on answers that are late. The next peer that is due
// takes the place.
func (m *Machine) expireHeaders(now time.Time, out *actor.Outbox) {
	for _, p := range m.ready {
		if p.ask != askWaiting || now.Before(p.askDeadline) {
			continue
		}
		p.ask, p.askDeadline = askIdle, time.Time{}
		p.more, p.ranOut = false, false
		p.late++
		p.askAt = now.Add(m.cfg.Pause << min(p.late, 7))
		if p.late >= m.cfg.MaxLate && p.chosen {
			// One that came to us may be syncing from us: btcd and older
			// versions of Core do not answer until they are done.
			m.drop(p, "does not answer getheaders", false, out)
		}
	}
}

// onHeaders queues headers to be judged. A peer may have one message waiting
// and one being judged; what does not fit is asked for again later.
func (m *Machine) onHeaders(now time.Time, h peer.HeadersReceived, out *actor.Outbox) {
	p := m.active(h.Peer)
	if p == nil {
		return
	}
	answer := p.ask == askWaiting
	if answer {
		p.ask, p.askDeadline = askIdle, time.Time{}
		p.late = 0
	}
	if len(h.Headers) == 0 {
		if answer {
			m.onNothing(now, p)
		}
		return
	}
	last, ok := consecutive(h.Headers)
	if !ok || len(h.Headers) > wire.MaxBlockHeadersPerMsg {
		m.drop(p, "headers are not consecutive", true, out)
		return
	}
	b := &p.batch
	switch {
	case !b.queued || answer:
		if b.queued { // the announcement that waited is dropped
			m.askSoon(now, p)
		}
		b.headers, b.last, b.answer = h.Headers, last, answer
	case h.Headers[0].PrevBlock == b.last && len(b.headers)+len(h.Headers) <= wire.MaxBlockHeadersPerMsg && !b.answer:
		b.headers, b.last = slices.Concat(b.headers, h.Headers), last
	default:
		m.askSoon(now, p)
	}
	if !b.queued {
		b.queued = true
		m.headerQueue = append(m.headerQueue, p.id)
	}
}

// onNothing is an empty answer. It proves nothing, but need not mean that the
// peer has nothing: when our best header lies on a branch whose blocks nobody
// serves, an honest peer may stand below it. Then it is asked once more, from
// our best block.
func (m *Machine) onNothing(now time.Time, p *peerState) {
	jumped := p.jumping && p.more
	p.ranOut, p.jumping, p.more = false, false, jumped
	if jumped {
		p.jumped = true // go on from its own last header
		p.askAt = now
		return
	}
	useless := p.best.Work.Cmp(m.tips.Block.Work) <= 0
	p.fromBlock = !p.fromBlock && useless && m.tips.Block.Hash != m.tips.Header.Hash
	if p.fromBlock {
		p.askAt = now
	}
}

// consecutive returns the hash of the last header, and whether each is the
// child of the one before.
func consecutive(headers []*wire.BlockHeader) (last chainhash.Hash, ok bool) {
	for i, h := range headers {
		if i > 0 && h.PrevBlock != last {
			return last, false
		}
		last = h.BlockHash()
	}
	return last, true
}

// askSoon makes the peer due, but not more often than MinAsk.
func (m *Machine) askSoon(now time.Time, p *peerState) {
	at := p.lastAsk.Add(m.cfg.MinAsk)
	if at.Before(now) {
		at = now
	}
	if at.Before(p.askAt) {
		p.askAt = at
	}
}

// nextRound is when a peer that is asked now is asked again if nothing else
// comes up: about every StaleTip, so that a lost announcement never stops us
// (law L9).
func (m *Machine) nextRound(now time.Time) time.Time {
	return now.Add(m.cfg.StaleTip + time.Duration(m.rng.Int64N(int64(m.cfg.StaleTip)/4+1)))
}

// onInv asks a peer that announces an unknown block for its headers.
func (m *Machine) onInv(now time.Time, inv peer.InvReceived) {
	p := m.active(inv.Peer)
	if p == nil {
		return
	}
	for _, h := range inv.Blocks {
		if h != p.best.Hash && h != m.tips.Block.Hash && m.w.find(h) == nil {
			m.askSoon(now, p)
			return
		}
	}
}

// submitHeaders offers chain the headers that wait, first come first served.
func (m *Machine) submitHeaders(out *actor.Outbox) {
	for len(m.headerQueue) > 0 {
		p := m.byID[m.headerQueue[0]]
		if p == nil || !p.batch.queued {
			m.headerQueue = m.headerQueue[1:]
			continue
		}
		if p.judging.n > 0 && !m.rotateHeaderQueue() {
			return
		} else if p.judging.n > 0 {
			continue
		}
		if _, ok := m.ports.Headers.Ask(out, uint64(p.id), chain.SubmitHeaders{Headers: p.batch.headers}); !ok {
			return
		}
		p.judging = submittedHeaders{n: len(p.batch.headers), answer: p.batch.answer}
		p.batch = receivedHeaders{}
		m.headerQueue = m.headerQueue[1:]
	}
}

// rotateHeaderQueue brings a peer to the front whose earlier headers are not
// still being judged. It says whether there is one.
func (m *Machine) rotateHeaderQueue() bool {
	for i, id := range m.headerQueue {
		if p := m.byID[id]; p == nil || p.judging.n == 0 {
			m.headerQueue = slices.Insert(slices.Delete(m.headerQueue, i, i+1), 0, id)
			return true
		}
	}
	return false
}

// onHeadersVerdict notes what the peer has proved and when to ask it again.
func (m *Machine) onHeadersVerdict(now time.Time, in actor.Input, v chain.HeadersVerdict, out *actor.Outbox) {
	m.stats.headers.add(now, v.New)
	m.stats.dirty = true
	if in.Err == nil && v.Best.Work.Cmp(m.tips.Header.Work) > 0 {
		m.tips.Header = v.Best
	}
	p := m.about(in)
	if p == nil {
		return
	}
	was := p.judging
	p.judging = submittedHeaders{}
	if p.leaving {
		return
	}
	if in.Err != nil {
		p.more = false // what chain knows now is not known: start from its best header
		p.askAt = now.Add(m.cfg.Retry)
		return
	}
	progress := v.Accepted > 0 && v.Last.Work.Cmp(p.best.Work) > 0
	if progress {
		p.best, p.common, p.behind = v.Last, v.Fork, m.aside.before(v.Last.Hash)
	}
	if v.Accepted > 0 {
		p.strange = 0
	}
	switch {
	case v.Code == chain.OK || v.Code == chain.Duplicate:
		m.onGoodHeaders(now, p, was, v, progress)
	case v.Code == chain.TooNew:
		// Not yet, but not bad either: the peer's clock or ours is off.
		p.more, p.ranOut = false, true
		p.askAt = now.Add(m.cfg.TooNewRetry)
	case v.Code == chain.Orphan:
		m.onStrangeHeaders(now, p, out)
	case v.Code.Faulty():
		// Another checkpoint may be a mistake of our user.
		m.drop(p, fmt.Sprintf("headers: %s (%s)", v.Reason, v.Detail), v.Code != chain.Checkpoint, out)
	default:
		p.askAt = now.Add(m.cfg.Pause)
	}
}

// onGoodHeaders decides whether the peer has more.
func (m *Machine) onGoodHeaders(now time.Time, p *peerState, was submittedHeaders, v chain.HeadersVerdict, progress bool) {
	full := was.n == wire.MaxBlockHeadersPerMsg
	jumping := was.answer && p.jumping
	if was.answer {
		p.jumping, p.fromBlock = false, false
	}
	if jumping {
		p.jumped = v.Last.Work.Cmp(p.jumpTo.Work) < 0
	}
	switch {
	case full && (progress || jumping):
		// Even if it brought nothing new: from a branch of ours that it does
		// not have, all that it could send may be known.
		p.more = true
		p.useless *= btoi(!progress)
		p.askAt = now
	case full:
		// It sends what we know for ever, to keep its place as fetcher.
		p.more, p.ranOut = false, false
		p.useless++
		p.askAt = now.Add(m.cfg.Pause << min(p.useless, 6))
	case was.answer:
		p.more, p.ranOut, p.jumped, p.useless = false, true, false, 0
	}
}

// onStrangeHeaders asks for what lies between. A peer that announces while it is
// still being asked is excused: its chain is on the way.
func (m *Machine) onStrangeHeaders(now time.Time, p *peerState, out *actor.Outbox) {
	if p.ask != askIdle || !now.Before(p.askAt) {
		return
	}
	p.more = false
	if p.strange++; p.strange > m.cfg.MaxUnconnecting {
		m.drop(p, fmt.Sprintf("%d headers messages in a row do not connect", p.strange), false, out)
		return
	}
	m.askSoon(now, p)
}
