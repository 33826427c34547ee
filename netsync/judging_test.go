package netsync

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func TestConsecutive(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 4, 1)
	h := tip.locate(nil)
	for _, c := range []struct {
		name    string
		headers []*wire.BlockHeader
		want    bool
	}{
		{"one", h[3:], true},
		{"all", h, true},
		{"one is left out", []*wire.BlockHeader{h[0], h[2], h[3]}, false},
		{"the last two are the same", append(slices.Clone(h), h[3]), false},
		{"backwards", []*wire.BlockHeader{h[3], h[2]}, false},
	} {
		last, ok := consecutive(c.headers)
		if ok != c.want || ok && last != tip.Hash {
			t.Errorf("%s: %v", c.name, ok)
		}
	}
}

func TestHeadersThatEndThePeer(t *testing.T) {
	tr := newTree()
	const full = 20
	h := tr.grow(tr.genesis, full+1, 1).locate(nil)
	for name, c := range map[string]struct {
		headers []*wire.BlockHeader
		ends    bool
	}{
		"a full message":      {h[1:], false},
		"one more than that":  {h, true},
		"they are no branch":  {[]*wire.BlockHeader{h[0], h[2]}, true},
		"an empty message":    {nil, false},
		"one header is fine":  {h[:1], false},
		"they are repetitive": {[]*wire.BlockHeader{h[0], h[0]}, true},
	} {
		u := bareUnit(1)
		u.cfg.HeadersPerMessage = full
		u.headers.onHeaders(peer.HeadersReceived{Peer: 1, Headers: c.headers})
		r := u.find(1)
		if r.why.Fault != c.ends {
			t.Errorf("%s: %+v", name, r.why)
		}
		if queued := len(u.headers.queue) == 1; queued != (!c.ends && len(c.headers) > 0) || len(r.headers.batch.headers) > len(c.headers) {
			t.Errorf("%s: they wait to be judged: %v", name, queued)
		}
	}
	u := bareUnit(1)
	u.headers.onHeaders(peer.HeadersReceived{Peer: 2, Headers: h[:1]})
	if len(u.headers.queue) > 0 {
		t.Error("headers of a peer that is gone are judged")
	}
}

// A peer that is far away announces blocks before it answers. The question stays open.
func TestAnAnnouncementEndsNoQuestion(t *testing.T) {
	tr := newTree()
	h := tr.grow(tr.genesis, 3, 1).locate(nil)
	u := bareUnit(1)
	r := &u.find(1).headers
	r.ask, r.deadline, r.late = askWaiting, u.now.Add(time.Minute), 3
	u.headers.onHeaders(peer.HeadersReceived{Peer: 1, Headers: h})
	if r.ask != askWaiting || r.deadline.IsZero() || r.late != 3 || r.batch.answer || len(r.batch.headers) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestAnAnswerEndsTheQuestion(t *testing.T) {
	tr := newTree()
	h := tr.grow(tr.genesis, 3, 1).locate(nil)
	for _, n := range []int{0, 3} {
		u := bareUnit(1)
		r := &u.find(1).headers
		r.ask, r.deadline, r.late = askWaiting, u.now.Add(time.Minute), 3
		u.headers.onHeaders(peer.HeadersReceived{Peer: 1, Headers: h[:n], Asked: true})
		if r.ask != askIdle || !r.deadline.IsZero() || r.late != 0 || r.batch.answer != (n > 0) {
			t.Errorf("%d headers: %+v", n, r)
		}
	}
}

// One message of a peer waits. What comes then joins it, takes its place, or is asked
// for again.
func TestHeadersThatComeWhileOthersWait(t *testing.T) {
	const most = 20
	tr := newTree()
	all := tr.grow(tr.genesis, most+1, 1).locate(nil)
	for _, c := range []struct {
		name          string
		first, second []*wire.BlockHeader
		firstAnswers  bool
		secondAnswers bool
		want          []*wire.BlockHeader
		again         bool
	}{
		{"they follow", all[:2], all[2:4], false, false, all[:4], false},
		{"they do not", all[:2], all[3:4], false, false, all[:2], true},
		{"together they fill a message", all[:15], all[15:most], false, false, all[:most], false},
		{"together they are too many", all[:15], all[15:], false, false, all[:15], true},
		{"an answer waits, whose length says something", all[:2], all[2:4], true, false, all[:2], true},
		{"an answer comes", all[:2], all[3:5], false, true, all[3:5], true},
	} {
		u := bareUnit(1)
		u.cfg.HeadersPerMessage = most
		r := &u.find(1).headers
		u.headers.enqueue(u.find(1), receivedHeaders{c.first, c.first[len(c.first)-1].BlockHash(), c.firstAnswers})
		r.lastAsk, r.askAt = u.now, u.now.Add(time.Hour)
		if c.secondAnswers {
			r.ask, r.deadline = askWaiting, u.now.Add(time.Minute)
		}
		u.headers.onHeaders(peer.HeadersReceived{Peer: 1, Headers: c.second, Asked: c.secondAnswers})
		last := c.want[len(c.want)-1].BlockHash()
		if b := &r.batch; !slices.Equal(b.headers, c.want) || b.last != last || b.answer != (c.firstAnswers || c.secondAnswers) {
			t.Errorf("%s: %d headers wait, answer %v", c.name, len(b.headers), b.answer)
		}
		if got := r.askAt.Equal(u.now.Add(u.cfg.MinAsk)); got != c.again {
			t.Errorf("%s: it is asked again: %v", c.name, got)
		}
		if len(u.headers.queue) != 1 {
			t.Errorf("%s: it waits %d times", c.name, len(u.headers.queue))
		}
	}
}

func TestAnEmptyAnswer(t *testing.T) {
	tr := newTree()
	low, block := tr.grow(tr.genesis, 1, 1), tr.grow(tr.genesis, 2, 1)
	equal, high := tr.grow(tr.genesis, 2, 1), tr.grow(tr.genesis, 9, 1)
	for _, c := range []struct {
		name      string
		best      *node
		header    *node
		r         remoteHeaders
		more      bool
		jumped    bool
		fromBlock bool
	}{
		{"in the middle of its headers, asked from ours", low, high, remoteHeaders{more: true, jumping: true}, true, true, false},
		{"in the middle of its headers, asked from its own", high, high, remoteHeaders{more: true}, false, false, false},
		{"it may stand below our best header", low, high, remoteHeaders{jumping: true}, false, false, true},
		{"its point is no better than our best block", equal, high, remoteHeaders{jumping: true}, false, false, true},
		{"it has proved a better point", high, high, remoteHeaders{jumping: true}, false, false, false},
		{"it was asked from our best block", low, high, remoteHeaders{fromBlock: true}, false, false, false},
		{"our best header is our best block", low, block, remoteHeaders{jumping: true}, false, false, false},
	} {
		u := bareUnit(1)
		u.tips = chain.Tips{Block: block.Point, Header: c.header.Point}
		u.find(1).best = c.best.Point
		r := &u.find(1).headers
		*r = c.r
		r.ranOut, r.askAt = true, u.now.Add(time.Hour)
		u.headers.onNothing(u.find(1))
		if r.more != c.more || r.jumped != c.jumped || r.fromBlock != c.fromBlock || r.ranOut || r.jumping {
			t.Errorf("%s: more %v, jumped %v, from our block %v, ran out %v, jumping %v",
				c.name, r.more, r.jumped, r.fromBlock, r.ranOut, r.jumping)
		}
		if got := r.askAt.Equal(u.now); got != (c.more || c.fromBlock) {
			t.Errorf("%s: it is asked at once: %v", c.name, got)
		}
	}
}

// An unasked block announces its header, unless a better word of the peer is on the way.
func TestWhatAnUnaskedBlockDoes(t *testing.T) {
	tr := newTree()
	block := tr.grow(tr.genesis, 3, 1)
	for _, c := range []struct {
		name  string
		r     remoteHeaders
		judge bool
	}{
		{"its header is judged", remoteHeaders{}, true},
		{"its other headers wait", remoteHeaders{batch: receivedHeaders{headers: block.at(1).locate(nil)}}, false},
		{"it is being asked", remoteHeaders{ask: askWaiting}, false},
	} {
		u := bareUnit(1)
		r := &u.find(1).headers
		*r = c.r
		r.lastAsk, r.askAt = u.now, u.now.Add(time.Hour)
		u.headers.announce(u.find(1), block.sent(1, 100, false))
		if judge := len(u.headers.queue) == 1; judge != c.judge || judge && (*r.batch.headers[0] != *block.header || r.batch.last != block.Hash) {
			t.Errorf("%s: %v", c.name, judge)
		}
		if soon := r.askAt.Equal(u.now.Add(u.cfg.MinAsk)); soon == c.judge {
			t.Errorf("%s: it is asked soon: %v", c.name, soon)
		}
	}
}

// A peer whose headers do not connect is asked for what lies between, a few times.
func TestStrangeHeaders(t *testing.T) {
	u := bareUnit(1)
	one := u.find(1)
	r := &one.headers
	strange := func() {
		u.headers.onVerdict(actor.Input{Key: 1}, chain.HeadersVerdict{Code: chain.Orphan})
	}
	r.more, r.lastAsk, r.askAt = true, u.now, u.now.Add(time.Hour)
	for name, excuse := range map[string]func(){
		"it is being asked": func() { r.ask = askLocating },
		"it is due":         func() { r.askAt = u.now },
	} {
		was := *r
		excuse()
		at := r.askAt
		if strange(); r.strange > 0 || !r.more || !r.askAt.Equal(at) {
			t.Errorf("%s, so its chain is on the way: %+v", name, r)
		}
		*r = was
	}
	r.askAt = u.now.Add(1)
	strange()
	if r.strange != 1 || r.more {
		t.Errorf("it is not due yet, and %+v", r)
	}
	for i := range u.cfg.MaxUnconnecting - 1 {
		r.askAt = u.now.Add(time.Hour)
		strange()
		if r.strange != i+2 || one.why != (actor.End{}) || !r.askAt.Equal(u.now.Add(u.cfg.MinAsk)) {
			t.Fatalf("after %d times: %+v, %+v", i+2, r, one.why)
		}
	}
	strange()
	if one.why == (actor.End{}) || one.why.Fault {
		t.Fatalf("once more than allowed: %+v", one.why)
	}
}

func TestKnownHeadersAreStrangeNoMore(t *testing.T) {
	u := bareUnit(1)
	r := &u.find(1).headers
	for accepted, want := range map[int]int{0: 5, 1: 0} {
		r.strange, r.askAt = 5, u.now
		u.headers.onVerdict(actor.Input{Key: 1}, chain.HeadersVerdict{Code: chain.Orphan, Accepted: accepted, Last: chain.Point{Hash: chainhash.Hash{1}}})
		if r.strange != want {
			t.Errorf("%d are known: %d times in a row", accepted, r.strange)
		}
	}
}
