package netsync

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// related returns a machine that goes to the tip of peer 1. Peer 2 has
// proved another point, peer 3 none.
func related() (u *unit, path, other *node) {
	u = bareUnit(1, 2, 3)
	path, other = u.tr.grow(u.tr.genesis, 10, 2), u.tr.grow(u.tr.genesis, 5, 1)
	u.find(1).best, u.find(2).best = path.Point, other.Point
	u.lead(path)
	return u, path, other
}

// relate returns what is asked about forks.
func (u *unit) relate() []chain.GetForks {
	return asks[chain.GetForks](u, func() { u.route.relate(u.ports.Forks, u.out) })
}

func TestForksAreAskedOneQuestionAtATime(t *testing.T) {
	u, path, other := related()
	q := u.relate()
	if len(q) != 1 || q[0].To != path.Hash || !slices.Equal(q[0].Hashes, hashesOf(other)) {
		t.Fatalf("asked %v, want one question about the other point", q)
	}
	if r := u.find(1).route; r.shared != 10 || r.sharedTo != path.Hash || r.sharedOf != path.Hash {
		t.Errorf("peer 1 stands at the end of the path, and shares %+v", r)
	}
	u.route.target = other.Point // a new target, so there is more to ask
	if q := u.relate(); len(q) > 0 {
		t.Fatalf("asked %v while a question is open", q)
	}
	u.route.onForks(chain.Forks{}) // it failed
	u.now = u.now.Add(u.cfg.Retry - 1)
	if q := u.relate(); len(q) > 0 {
		t.Fatalf("asked %v before it is time to try again", q)
	}
	u.now = u.now.Add(1)
	if q := u.relate(); len(q) != 1 || q[0].To != other.Hash || !slices.Equal(q[0].Hashes, hashesOf(path, other)) {
		t.Fatalf("asked %v, want the end of the span and the other point", q)
	}
	if q := u.route.forks; !q.turning || !slices.Equal(q.peers, []actor.ID{2}) || q.to != other.Point {
		t.Errorf("what was asked is noted as %+v", q)
	}
}

func TestForksAreAskedAgainWhenAPointMoves(t *testing.T) {
	u, path, other := related()
	u.find(2).share(0, path.Hash)
	if q := u.relate(); len(q) > 0 {
		t.Fatalf("asked %v, and all is known", q)
	}
	next := u.tr.add(other, 1)
	u.find(2).best = next.Point
	if q := u.relate(); len(q) != 1 || !slices.Equal(q[0].Hashes, hashesOf(next)) {
		t.Fatalf("asked %v, want the new point of peer 2", q)
	}
	u.route.forks = forksQuestion{}
	u.find(2).share(0, path.Hash)
	u.find(2).route.sharedTo = chainhash.Hash{7} // of a path that we have left
	if q := u.relate(); len(q) != 1 || !slices.Equal(q[0].Hashes, hashesOf(next)) {
		t.Fatalf("asked %v, want the point of peer 2 on the new path", q)
	}
}

func TestForksOfAsManyPointsAsChainTakes(t *testing.T) {
	var ids []actor.ID
	for i := range chain.MaxForks + 5 {
		ids = append(ids, actor.ID(i+1))
	}
	for _, turning := range []bool{false, true} {
		u := bareUnit(ids...)
		path, other := u.tr.grow(u.tr.genesis, 3, 2), u.tr.grow(u.tr.genesis, 3, 1)
		for _, r := range u.ready {
			r.best = other.Point
		}
		u.lead(path)
		if turning {
			u.route.target = u.tr.grow(u.tr.genesis, 4, 3).Point
		}
		q := u.relate()
		if len(q) != 1 || len(q[0].Hashes) != chain.MaxForks {
			t.Fatalf("turning %v: asked of %d points, want %d", turning, len(q[0].Hashes), chain.MaxForks)
		}
		if err := u.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatAnAnswerAboutForksSays(t *testing.T) {
	const silent = -2 // nothing is noted
	for _, c := range []struct {
		name   string
		change func(u *unit, two *remote, f *chain.Forks)
		shared int32
	}{
		{"the last block that both have", func(*unit, *remote, *chain.Forks) {}, 4},
		{"the peer is gone", func(u *unit, _ *remote, _ *chain.Forks) { u.ready = u.ready[:1] }, silent},
		{"the peer has proved more", func(u *unit, two *remote, _ *chain.Forks) {
			two.best = u.tr.add(u.tr.nodes[two.best.Hash], 1).Point
		}, silent},
		{"we go elsewhere", func(u *unit, _ *remote, _ *chain.Forks) { u.route.path.to.Hash = chainhash.Hash{7} }, silent},
		{"the question failed", func(_ *unit, _ *remote, f *chain.Forks) { *f = chain.Forks{} }, silent},
		{"chain does not know the point any more", func(_ *unit, _ *remote, f *chain.Forks) {
			f.Points[0], f.Shared[0] = chain.Point{}, chain.Point{}
		}, noShared},
	} {
		u, path, other := related()
		two := u.find(2)
		two.headers.askAt, two.route.shared = u.now.Add(time.Hour), silent
		u.route.forks = forksQuestion{to: path.Point, peers: []actor.ID{2}, hashes: hashesOf(other)}
		f := chain.Forks{Points: []chain.Point{other.Point}, Shared: []chain.Point{path.at(4).Point}}
		c.change(u, two, &f)
		u.route.onForks(f)
		if got := two.route.shared; got != c.shared {
			t.Errorf("%s: %d blocks are shared, want %d", c.name, got, c.shared)
		}
		forgotten := two.best == chain.Point{} && two.headers.askAt.Equal(u.now.Add(u.cfg.Pause))
		if forgotten != (c.shared == noShared) {
			t.Errorf("%s: it has to prove its point again: %v", c.name, forgotten)
		}
		if again := u.route.forks.retryAt.Equal(u.now.Add(u.cfg.Retry)); again != (len(f.Points) == 0) || len(u.route.forks.hashes) > 0 {
			t.Errorf("%s: it is asked again: %v", c.name, again)
		}
	}
}

func TestTurningToANewTarget(t *testing.T) {
	const stays = -1
	for _, c := range []struct {
		name   string
		shared int32 // up to which height the old path and the new one are the same
		change func(u *unit, f *chain.Forks)
		want   int // blocks in the span; stays: nothing changes
	}{
		{"that lies beyond the span", 10, func(*unit, *chain.Forks) {}, 10},
		{"with a fork on the way", 6, func(*unit, *chain.Forks) {}, 6},
		{"on another branch", 0, func(*unit, *chain.Forks) {}, 0},
		{"the span grew meanwhile", 6, func(u *unit, _ *chain.Forks) {
			u.span.extend([]chain.Point{u.tr.add(u.tr.nodes[u.span.last().at.Hash], 1).Point})
		}, stays},
		{"there is no target any more", 6, func(u *unit, _ *chain.Forks) { u.route.target = chain.Point{} }, stays},
		{"the old target is the best again", 6, func(u *unit, _ *chain.Forks) { u.route.target = u.route.path.to }, stays},
		{"the span is empty by now", 6, func(u *unit, _ *chain.Forks) { u.span.clear() }, stays},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, path, _ := related()
			target := u.tr.grow(path.at(c.shared), 20, 2)
			u.find(2).best = target.Point
			u.route.target = target.Point
			u.route.forks = forksQuestion{
				to: target.Point, turning: true, peers: []actor.ID{2}, hashes: hashesOf(path, target),
			}
			f := chain.Forks{
				Points: []chain.Point{path.Point, target.Point},
				Shared: []chain.Point{path.at(c.shared).Point, target.Point},
			}
			c.change(u, &f)
			was, length := u.route.path, u.span.len()
			u.route.onForks(f)
			if c.want == stays {
				if u.route.path != was || u.span.len() != length {
					t.Fatalf("path %+v, was %+v", u.route.path, was)
				}
				return
			}
			last := chainhash.Hash{}
			if c.want > 0 {
				last = path.at(int32(c.want)).Hash
			}
			if r := &u.route.path; r.to != target.Point || r.complete || r.last != last || u.span.len() != c.want {
				t.Fatalf("the path is %+v and the span has %d blocks, want %d", r, u.span.len(), c.want)
			}
			if r := u.find(2).route; r.shared != target.Height || r.sharedTo != target.Hash || r.sharedOf != target.Hash {
				t.Errorf("peer 2 shares %+v", r)
			}
		})
	}
}

// An answer of a wrong length says nothing. It is asked for again.
func TestAnAnswerAboutForksThatIsTooShort(t *testing.T) {
	for _, c := range []struct {
		name           string
		turning        bool
		points, shared int
	}{
		{"a block that is shared is missing", false, 2, 1},
		{"all that are shared are missing", false, 2, 0},
		{"a point is missing", false, 1, 2},
		{"we turn, and a block that is shared is missing", true, 2, 1},
		{"we turn, and all that are shared are missing", true, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, path, other := related()
			q := forksQuestion{to: path.Point, peers: []actor.ID{1, 2}, hashes: hashesOf(path, other)}
			if c.turning {
				u.route.target = other.Point
				q = forksQuestion{to: other.Point, turning: true, peers: []actor.ID{2}, hashes: hashesOf(path, other)}
			}
			u.route.forks = q
			was, one, two := u.route.path, u.find(1).route, u.find(2).route
			f := chain.Forks{Points: points(path, other), Shared: points(path, other)}
			f.Points, f.Shared = f.Points[:c.points], f.Shared[:c.shared]
			u.route.onForks(f)
			if u.route.path != was || u.find(1).route != one || u.find(2).route != two {
				t.Errorf("path %+v, peers %+v and %+v", u.route.path, u.find(1).route, u.find(2).route)
			}
			u.now = u.now.Add(u.cfg.Retry - 1)
			if q := u.relate(); len(q) > 0 {
				t.Fatalf("asked %v before it is time to try again", q)
			}
			u.now = u.now.Add(1)
			if q := u.relate(); len(q) != 1 {
				t.Fatalf("asked %v, want the question again", q)
			}
		})
	}
}

// Chain was rebuilt and has lost headers: the old path leads nowhere.
func TestAPathThatChainHasLostIsLeft(t *testing.T) {
	u, old, other := related()
	u.route.target = other.Point
	u.route.forks = forksQuestion{to: other.Point, turning: true, hashes: hashesOf(old)}
	u.route.onForks(chain.Forks{Points: make([]chain.Point, 1), Shared: make([]chain.Point, 1)})
	if u.route.path != (path{}) || u.span.len() > 0 {
		t.Fatalf("the path is %+v, and the span has %d blocks", u.route.path, u.span.len())
	}
}

func TestWhoseBranchLeadsThroughABlock(t *testing.T) {
	to, best := chain.Point{Hash: chainhash.Hash{1}}, chain.Point{Hash: chainhash.Hash{2}}
	shares := remoteRoute{shared: 5, sharedTo: to.Hash, sharedOf: best.Hash}
	for _, c := range []struct {
		name   string
		p      remote
		height int32
		want   bool
	}{
		{"the end of the path", remote{best: to, route: remoteRoute{shared: noShared}}, 9, true},
		{"the last block that it shares", remote{best: best, route: shares}, 5, true},
		{"the one after that", remote{best: best, route: shares}, 6, false},
		{"what it shares with another path", remote{best: best, route: remoteRoute{
			shared: 5, sharedTo: chainhash.Hash{7}, sharedOf: best.Hash}}, 5, false},
		{"what its last point shared", remote{best: best, route: remoteRoute{
			shared: 5, sharedTo: to.Hash, sharedOf: chainhash.Hash{7}}}, 5, false},
	} {
		r := route{path: path{to: to}}
		if got := r.through(&c.p, c.height); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWhoHasABlockOfThePath(t *testing.T) {
	best := chain.Point{Height: 1000}
	pruned := remote{best: best, route: remoteRoute{shared: 900}}
	full := remote{best: best, full: true, route: remoteRoute{shared: 900}}
	for _, c := range []struct {
		name   string
		p      remote
		height int32
		want   bool
	}{
		{"the last block that it shares", full, 900, true},
		{"the one after that", full, 901, false},
		{"the first block", full, 1, true},
		{"the lowest block that is not pruned", pruned, 1000 - limitedBlocks + 1, true},
		{"the one below", pruned, 1000 - limitedBlocks, false},
		{"nothing is known of it", remote{best: best, full: true, route: remoteRoute{shared: noShared}}, 0, false},
	} {
		if got := c.p.has(c.height); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	r := route{path: path{to: chain.Point{Hash: chainhash.Hash{1}}}}
	for name, p := range map[string]remote{
		"it serves no blocks":            {route: remoteRoute{sharedTo: chainhash.Hash{1}}},
		"it shares with another path":    {blocks: true, route: remoteRoute{sharedTo: chainhash.Hash{2}}},
		"nothing is known of its branch": {blocks: true, route: remoteRoute{shared: noShared}},
	} {
		if r.on(&p) {
			t.Errorf("%s, and yet it is on the path", name)
		}
	}
	if !r.on(&remote{blocks: true, route: remoteRoute{sharedTo: chainhash.Hash{1}}}) {
		t.Error("it serves blocks of the path")
	}
}
