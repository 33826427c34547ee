package netsync

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// related returns the parts of a machine that goes to the tip of peer 1. Peer 2 has
// proved another point, peer 3 none.
func related() (p *parts, path, other *node) {
	p = newParts(1, 2, 3)
	path, other = p.tr.grow(p.tr.genesis, 10, 2), p.tr.grow(p.tr.genesis, 5, 1)
	p.find(1).best, p.find(2).best = path.Point, other.Point
	p.lead(path)
	return p, path, other
}

// relate returns what is asked about forks.
func (p *parts) relate() []chain.GetForks {
	p.route.relate(p.ports.Forks, p.out)
	return questions[chain.GetForks](p)
}

func TestForksAreAskedOneQuestionAtATime(t *testing.T) {
	p, path, other := related()
	q := p.relate()
	if len(q) != 1 || q[0].To != path.Hash || !slices.Equal(q[0].Hashes, hashesOf(other)) {
		t.Fatalf("asked %v, want one question about the other point", q)
	}
	if r := p.find(1).route; r.shared != 10 || r.sharedTo != path.Hash || r.sharedOf != path.Hash {
		t.Errorf("peer 1 stands at the end of the path, and shares %+v", r)
	}
	p.route.target = other.Point // a new target, so there is more to ask
	if q := p.relate(); len(q) > 0 {
		t.Fatalf("asked %v while a question is open", q)
	}
	p.route.onForks(chain.Forks{}) // it failed
	p.now = p.now.Add(p.cfg.Retry - 1)
	if q := p.relate(); len(q) > 0 {
		t.Fatalf("asked %v before it is time to try again", q)
	}
	p.now = p.now.Add(1)
	if q := p.relate(); len(q) != 1 || q[0].To != other.Hash || !slices.Equal(q[0].Hashes, hashesOf(path, other)) {
		t.Fatalf("asked %v, want the end of the span and the other point", q)
	}
	if q := p.route.forks; !q.turning || !slices.Equal(q.peers, []actor.ID{2}) || q.to != other.Point {
		t.Errorf("what was asked is noted as %+v", q)
	}
}

func TestForksAreAskedAgainWhenAPointMoves(t *testing.T) {
	p, path, other := related()
	p.find(2).share(0, path.Hash)
	if q := p.relate(); len(q) > 0 {
		t.Fatalf("asked %v, and all is known", q)
	}
	next := p.tr.add(other, 1)
	p.find(2).best = next.Point
	if q := p.relate(); len(q) != 1 || !slices.Equal(q[0].Hashes, hashesOf(next)) {
		t.Fatalf("asked %v, want the new point of peer 2", q)
	}
	p.route.forks = forksQuestion{}
	p.find(2).share(0, path.Hash)
	p.find(2).route.sharedTo = chainhash.Hash{7} // of a path that we have left
	if q := p.relate(); len(q) != 1 || !slices.Equal(q[0].Hashes, hashesOf(next)) {
		t.Fatalf("asked %v, want the point of peer 2 on the new path", q)
	}
}

func TestForksOfAsManyPointsAsChainTakes(t *testing.T) {
	var ids []actor.ID
	for i := range chain.MaxForks + 5 {
		ids = append(ids, actor.ID(i+1))
	}
	for _, turning := range []bool{false, true} {
		p := newParts(ids...)
		path, other := p.tr.grow(p.tr.genesis, 3, 2), p.tr.grow(p.tr.genesis, 3, 1)
		for _, r := range p.ready {
			r.best = other.Point
		}
		p.lead(path)
		if turning {
			p.route.target = p.tr.grow(p.tr.genesis, 4, 3).Point
		}
		q := p.relate()
		if len(q) != 1 || len(q[0].Hashes) != chain.MaxForks {
			t.Fatalf("turning %v: asked of %d points, want %d", turning, len(q[0].Hashes), chain.MaxForks)
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatAnAnswerAboutForksSays(t *testing.T) {
	const silent = -2 // nothing is noted
	for _, c := range []struct {
		name   string
		change func(p *parts, two *remote, f *chain.Forks)
		shared int32
	}{
		{"the last block that both have", func(*parts, *remote, *chain.Forks) {}, 4},
		{"the peer is gone", func(p *parts, _ *remote, _ *chain.Forks) { p.ready = p.ready[:1] }, silent},
		{"the peer has proved more", func(p *parts, two *remote, _ *chain.Forks) {
			two.best = p.tr.add(p.tr.nodes[two.best.Hash], 1).Point
		}, silent},
		{"we go elsewhere", func(p *parts, _ *remote, _ *chain.Forks) { p.route.path.to.Hash = chainhash.Hash{7} }, silent},
		{"the question failed", func(_ *parts, _ *remote, f *chain.Forks) { *f = chain.Forks{} }, silent},
		{"chain does not know the point any more", func(_ *parts, _ *remote, f *chain.Forks) {
			f.Points[0], f.Shared[0] = chain.Point{}, chain.Point{}
		}, noShared},
	} {
		p, path, other := related()
		two := p.find(2)
		two.headers.askAt, two.route.shared = p.now.Add(time.Hour), silent
		p.route.forks = forksQuestion{to: path.Point, peers: []actor.ID{2}, hashes: hashesOf(other)}
		f := chain.Forks{Points: []chain.Point{other.Point}, Shared: []chain.Point{path.at(4).Point}}
		c.change(p, two, &f)
		p.route.onForks(f)
		if got := two.route.shared; got != c.shared {
			t.Errorf("%s: %d blocks are shared, want %d", c.name, got, c.shared)
		}
		forgotten := two.best == chain.Point{} && two.headers.askAt.Equal(p.now.Add(p.cfg.Pause))
		if forgotten != (c.shared == noShared) {
			t.Errorf("%s: it has to prove its point again: %v", c.name, forgotten)
		}
		if again := p.route.forks.retryAt.Equal(p.now.Add(p.cfg.Retry)); again != (len(f.Points) == 0) || len(p.route.forks.hashes) > 0 {
			t.Errorf("%s: it is asked again: %v", c.name, again)
		}
	}
}

func TestTurningToANewTarget(t *testing.T) {
	const stays = -1
	for _, c := range []struct {
		name   string
		shared int32 // up to which height the old path and the new one are the same
		change func(p *parts, f *chain.Forks)
		want   int // blocks in the span; stays: nothing changes
	}{
		{"that lies beyond the span", 10, func(*parts, *chain.Forks) {}, 10},
		{"with a fork on the way", 6, func(*parts, *chain.Forks) {}, 6},
		{"on another branch", 0, func(*parts, *chain.Forks) {}, 0},
		{"the span grew meanwhile", 6, func(p *parts, _ *chain.Forks) {
			p.span.extend([]chain.Point{p.tr.add(p.tr.nodes[p.span.last().at.Hash], 1).Point})
		}, stays},
		{"there is no target any more", 6, func(p *parts, _ *chain.Forks) { p.route.target = chain.Point{} }, stays},
		{"the old target is the best again", 6, func(p *parts, _ *chain.Forks) { p.route.target = p.route.path.to }, stays},
		{"the span is empty by now", 6, func(p *parts, _ *chain.Forks) { p.span.clear() }, stays},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, path, _ := related()
			target := p.tr.grow(path.at(c.shared), 20, 2)
			p.find(2).best = target.Point
			p.route.target = target.Point
			p.route.forks = forksQuestion{
				to: target.Point, turning: true, peers: []actor.ID{2}, hashes: hashesOf(path, target),
			}
			f := chain.Forks{
				Points: []chain.Point{path.Point, target.Point},
				Shared: []chain.Point{path.at(c.shared).Point, target.Point},
			}
			c.change(p, &f)
			was, length := p.route.path, p.span.len()
			p.route.onForks(f)
			if c.want == stays {
				if p.route.path != was || p.span.len() != length {
					t.Fatalf("path %+v, was %+v", p.route.path, was)
				}
				return
			}
			last := chainhash.Hash{}
			if c.want > 0 {
				last = path.at(int32(c.want)).Hash
			}
			if r := &p.route.path; r.to != target.Point || r.complete || r.last != last || p.span.len() != c.want {
				t.Fatalf("the path is %+v and the span has %d blocks, want %d", r, p.span.len(), c.want)
			}
			if r := p.find(2).route; r.shared != target.Height || r.sharedTo != target.Hash || r.sharedOf != target.Hash {
				t.Errorf("peer 2 shares %+v", r)
			}
		})
	}
}

// Chain was rebuilt and has lost headers: the old path leads nowhere.
func TestAPathThatChainHasLostIsLeft(t *testing.T) {
	p, old, other := related()
	p.route.target = other.Point
	p.route.forks = forksQuestion{to: other.Point, turning: true, hashes: hashesOf(old)}
	p.route.onForks(chain.Forks{Points: make([]chain.Point, 1), Shared: make([]chain.Point, 1)})
	if p.route.path != (path{}) || p.span.len() > 0 {
		t.Fatalf("the path is %+v, and the span has %d blocks", p.route.path, p.span.len())
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
