package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

func TestWhatAVerdictProves(t *testing.T) {
	tr := newTree()
	low, mid := tr.grow(tr.genesis, 1, 1), tr.grow(tr.genesis, 2, 1)
	equal, high := tr.grow(tr.genesis, 2, 1), tr.grow(tr.genesis, 3, 1)
	for _, c := range []struct {
		name   string
		last   *node
		best   *node // chain's best header
		proves bool
	}{
		{"a better point", high, high, true},
		{"a point with as much work", equal, mid, false},
		{"a point with less work", low, mid, false},
		{"a point with less work, and chain has a better one", low, high, false},
	} {
		u := bareUnit(1)
		one := u.find(1)
		one.best, one.common, u.tips.Header = mid.Point, tr.genesis.Point, mid.Point
		one.headers.judging = submittedHeaders{n: 2, answer: true}
		proved := u.headers.onVerdict(actor.Input{Key: 1}, chain.HeadersVerdict{
			Accepted: 2, New: 1, Last: c.last.Point, Fork: low.Point, Best: c.best.Point,
		})
		if proves := proved == one; proves != c.proves || proves != (one.best == c.last.Point && one.common == low.Point) {
			t.Errorf("%s: proved %v, best %v", c.name, proves, one.best)
		}
		if u.tips.Header != c.best.Point {
			t.Errorf("%s: our best header is at %d", c.name, u.tips.Header.Height)
		}
		if one.headers.judging != (submittedHeaders{}) || !one.headers.ranOut {
			t.Errorf("%s: %+v", c.name, one.headers)
		}
		if got := u.headers.meter.rate(u.now); got != 1 {
			t.Errorf("%s: %v new headers in this second", c.name, got)
		}
	}
}

// What a verdict says of the chain holds, whoever sent the headers. A best header with
// as much work does not displace the one that chain has published.
func TestAVerdictOnAPeerThatIsGone(t *testing.T) {
	u := bareUnit(1)
	mid := u.tr.grow(u.tr.genesis, 2, 1)
	other, high := u.tr.grow(u.tr.genesis, 2, 1), u.tr.grow(u.tr.genesis, 3, 1)
	u.tips.Header = mid.Point
	for _, c := range []struct{ best, want *node }{{other, mid}, {high, high}, {mid, high}} {
		if u.headers.onVerdict(actor.Input{Key: 9}, chain.HeadersVerdict{Accepted: 1, Last: c.best.Point, Best: c.best.Point}) != nil {
			t.Fatal("nobody has proved it")
		}
		if u.tips.Header != c.want.Point {
			t.Errorf("our best header is at %d, want %d", u.tips.Header.Height, c.want.Height)
		}
	}
}

func TestVerdictsThatSayTryLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		code   chain.Code
		after  func(b Bounds) time.Duration
		more   bool
		ranOut bool
	}{
		{"the question failed", actor.ErrTimeout, 0, func(b Bounds) time.Duration { return b.Retry }, false, false},
		{"a header is from the future", nil, chain.TooNew, func(b Bounds) time.Duration { return b.TooNewRetry }, false, true},
		{"chain is stopping", nil, chain.Fatal, func(b Bounds) time.Duration { return b.Pause }, true, false},
	} {
		u := bareUnit(1)
		one := u.find(1)
		one.headers = remoteHeaders{more: true, judging: submittedHeaders{n: 1}, strange: 3}
		if u.headers.onVerdict(actor.Input{Key: 1, Err: c.err}, chain.HeadersVerdict{Code: c.code}) != nil {
			t.Errorf("%s: it has proved nothing", c.name)
		}
		r := &one.headers
		if got, want := r.askAt.Sub(u.now), c.after(u.cfg); got != want || r.more != c.more || r.ranOut != c.ranOut {
			t.Errorf("%s: it is asked after %v, want %v; more %v, ran out %v", c.name, got, want, r.more, r.ranOut)
		}
		if r.judging.n > 0 || r.strange != 3 || one.why != (actor.End{}) {
			t.Errorf("%s: %+v, %+v", c.name, r, one.why)
		}
	}
}

// standing is what a good verdict says of the peer.
type standing struct {
	more, ranOut, jumped, jumping, fromBlock bool
	useless                                  int
}

func standingOf(r *remoteHeaders) standing {
	return standing{r.more, r.ranOut, r.jumped, r.jumping, r.fromBlock, r.useless}
}

func TestWhetherAPeerHasMore(t *testing.T) {
	full := DefaultBounds().HeadersPerMessage
	tr := newTree()
	low := tr.grow(tr.genesis, 1, 1)
	start := tr.grow(low, 1, 1)
	high := tr.grow(start, 1, 1)
	hour := time.Hour
	for _, c := range []struct {
		name     string
		was      submittedHeaders
		r        remoteHeaders
		last     *node
		progress bool
		want     remoteHeaders // its standing
		after    time.Duration // until it is asked
	}{
		{"a full answer that brought something", submittedHeaders{full, true}, remoteHeaders{useless: 2, fromBlock: true}, high, true,
			remoteHeaders{more: true}, 0},
		{"a full announcement that brought something", submittedHeaders{full, false}, remoteHeaders{useless: 2, fromBlock: true}, high, true,
			remoteHeaders{more: true, fromBlock: true}, 0},
		{"one less than full", submittedHeaders{full - 1, true}, remoteHeaders{more: true, jumped: true, useless: 2}, high, true,
			remoteHeaders{ranOut: true}, hour},
		{"an announcement of some", submittedHeaders{5, false}, remoteHeaders{more: true, jumped: true, useless: 2}, high, true,
			remoteHeaders{more: true, jumped: true, useless: 2}, hour},
		{"full from our best header on, but no news", submittedHeaders{full, true}, remoteHeaders{jumping: true, useless: 2}, high, false,
			remoteHeaders{more: true, useless: 2}, 0},
		{"full from our best header on, and all of it before that", submittedHeaders{full, true}, remoteHeaders{jumping: true}, low, false,
			remoteHeaders{more: true, jumped: true}, 0},
		{"full from our best header on, with as much work", submittedHeaders{full, true}, remoteHeaders{jumping: true, jumped: true}, start, false,
			remoteHeaders{more: true}, 0},
		{"a full announcement while it is asked", submittedHeaders{full, false}, remoteHeaders{jumping: true}, low, false,
			remoteHeaders{jumping: true, useless: 1}, 2},
		{"full, but no news", submittedHeaders{full, true}, remoteHeaders{more: true, ranOut: true}, low, false,
			remoteHeaders{useless: 1}, 2},
		{"the same for the sixth time", submittedHeaders{full, true}, remoteHeaders{useless: 5}, low, false,
			remoteHeaders{useless: 6}, 64},
		{"the same for the seventh time", submittedHeaders{full, true}, remoteHeaders{useless: 6}, low, false,
			remoteHeaders{useless: 7}, 64},
	} {
		u := bareUnit(1)
		r := &u.find(1).headers
		*r = c.r
		r.jumpTo, r.askAt = start.Point, u.now.Add(hour)
		u.headers.onGood(u.find(1), c.was, chain.HeadersVerdict{Last: c.last.Point}, c.progress)
		if got := standingOf(r); got != standingOf(&c.want) {
			t.Errorf("%s: %+v", c.name, got)
		}
		after := c.after
		if after < hour {
			after *= u.cfg.Pause
		}
		if !r.askAt.Equal(u.now.Add(after)) {
			t.Errorf("%s: it is asked after %v, want %v", c.name, r.askAt.Sub(u.now), after)
		}
	}
}
