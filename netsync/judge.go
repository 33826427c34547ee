package netsync

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// receivedHeaders are consecutive headers of one peer.
type receivedHeaders struct {
	headers []*wire.BlockHeader // empty: none wait
	last    chainhash.Hash
	answer  bool // they answer a getheaders
}

func (b *receivedHeaders) waits() bool { return len(b.headers) > 0 }

// submittedHeaders is what chain was asked to judge.
type submittedHeaders struct {
	n      int // headers; zero: nothing is being judged
	answer bool
}

// onHeaders queues headers to be judged. A peer may have one message waiting and
// one being judged. What does not fit is asked for again later.
func (t *headers) onHeaders(h peer.HeadersReceived) {
	p := t.find(h.Peer)
	if p == nil {
		return
	}
	r := &p.headers
	answer := r.ask == askWaiting && h.Asked // the peer's cell knows what it was asked
	if answer {
		r.idle()
		r.late = 0
	}
	if len(h.Headers) == 0 {
		if answer {
			t.onNothing(p)
		}
		return
	}
	last, ok := consecutive(h.Headers)
	if !ok || len(h.Headers) > t.cfg.HeadersPerMessage {
		t.drop(p, "headers are not consecutive", true)
		return
	}
	b := &r.batch
	switch {
	case !b.waits():
		t.enqueue(p, receivedHeaders{h.Headers, last, answer})
	case answer: // the announcement that waited makes room
		*b = receivedHeaders{h.Headers, last, true}
		t.askSoon(p)
	case h.Headers[0].PrevBlock == b.last && len(b.headers)+len(h.Headers) <= t.cfg.HeadersPerMessage && !b.answer:
		b.headers, b.last = slices.Concat(b.headers, h.Headers), last
	default:
		t.askSoon(p)
	}
}

func (t *headers) enqueue(p *remote, b receivedHeaders) {
	p.headers.batch = b
	t.queue = append(t.queue, p)
}

// onNothing is an empty answer. It proves nothing. Nor does it mean that the peer
// has nothing: if our best header lies on a branch whose blocks nobody serves, an
// honest peer may stand below it. Then it is asked once more, from our best block.
func (t *headers) onNothing(p *remote) {
	r := &p.headers
	jumped := r.jumping && r.more
	r.ranOut, r.jumping, r.more = false, false, jumped
	if jumped {
		r.jumped = true // go on from its own last header
		r.askAt = t.now
		return
	}
	useless := p.best.Work.Cmp(t.tips.Block.Work) <= 0
	r.fromBlock = !r.fromBlock && useless && t.tips.Block.Hash != t.tips.Header.Hash
	if r.fromBlock {
		r.askAt = t.now
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

// announce takes an unasked block for an announcement of its header. The block is
// ordered if it turns out to be needed.
func (t *headers) announce(p *remote, b peer.BlockReceived) {
	if p.headers.batch.waits() || p.headers.ask == askWaiting {
		t.askSoon(p)
		return
	}
	t.enqueue(p, receivedHeaders{headers: []*wire.BlockHeader{&b.Header}, last: b.Hash})
}

// submit hands chain the headers that wait, in the order in which they came. A
// peer has one message judged at a time.
func (t *headers) submit(port actor.Port[chain.SubmitHeaders, chain.HeadersVerdict], out *actor.Outbox) {
	for i := 0; i < len(t.queue); {
		p := t.queue[i]
		r := &p.headers
		if r.judging.n > 0 {
			i++
			continue
		}
		if _, ok := port.Ask(out, uint64(p.id), chain.SubmitHeaders{Headers: r.batch.headers}); !ok {
			return
		}
		r.judging = submittedHeaders{n: len(r.batch.headers), answer: r.batch.answer}
		r.batch = receivedHeaders{}
		t.queue = slices.Delete(t.queue, i, i+1)
	}
}

// onVerdict notes what the peer has proved and when it is asked again. It returns
// the remote if that proved a better point.
func (t *headers) onVerdict(in actor.Input, v chain.HeadersVerdict) (proved *remote) {
	t.meter.add(t.now, v.New)
	if v.Best.Work.Cmp(t.tips.Header.Work) > 0 { // a failed question brings no point
		t.tips.Header = v.Best
	}
	p := t.find(actor.ID(in.Key))
	if p == nil {
		return nil
	}
	r := &p.headers
	was := r.judging
	r.judging = submittedHeaders{}
	if in.Err != nil {
		r.more = false // whether chain took them is unknown: start from its best header
		r.askAt = t.now.Add(t.cfg.Retry)
		return nil
	}
	if v.Accepted > 0 {
		r.strange = 0
		if v.Last.Work.Cmp(p.best.Work) > 0 {
			p.best, p.common = v.Last, v.Fork
			proved = p
		}
	}
	switch {
	case v.Code == chain.OK:
		t.onGood(p, was, v, proved != nil)
	case v.Code == chain.TooNew:
		// Not yet, but not bad either: the peer's clock or ours is off.
		r.more, r.ranOut = false, true
		r.askAt = t.now.Add(t.cfg.TooNewRetry)
	case v.Code == chain.Orphan:
		t.onStrange(p)
	case v.Code.Faulty():
		// Another checkpoint may be a mistake of our user.
		t.drop(p, fmt.Sprintf("headers: %s (%s)", v.Reason, v.Detail), v.Code != chain.Checkpoint)
	default:
		r.askAt = t.now.Add(t.cfg.Pause)
	}
	return proved
}

// onGood decides whether the peer has more.
func (t *headers) onGood(p *remote, was submittedHeaders, v chain.HeadersVerdict, progress bool) {
	r := &p.headers
	full := was.n == t.cfg.HeadersPerMessage
	jumping := was.answer && r.jumping
	if was.answer {
		r.jumping, r.fromBlock = false, false
	}
	if jumping {
		r.jumped = v.Last.Work.Cmp(r.jumpTo.Work) < 0
	}
	switch {
	case full && (progress || jumping):
		// Even if it brought nothing new: on a branch of ours that the peer does
		// not have, all that it could send may be known.
		r.more = true
		r.useless *= btoi(!progress)
		r.askAt = t.now
	case full:
		// It sends what we know for ever, to remain a fetcher.
		r.more, r.ranOut = false, false
		r.useless++
		r.askAt = t.now.Add(t.cfg.Pause << min(r.useless, 6))
	case was.answer:
		r.more, r.ranOut, r.jumped, r.useless = false, true, false, 0
	}
}

// onStrange asks for what lies between our headers and the peer's. A peer that
// announces while it is being asked is excused: its chain is on the way.
func (t *headers) onStrange(p *remote) {
	r := &p.headers
	if r.ask != askIdle || !t.now.Before(r.askAt) {
		return
	}
	r.more = false
	t.askSoon(p)
	if r.strange++; r.strange > t.cfg.MaxUnconnecting {
		t.drop(p, fmt.Sprintf("%d headers messages in a row do not connect", r.strange), false)
	}
}
