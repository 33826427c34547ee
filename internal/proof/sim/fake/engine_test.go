package fake

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/fixture"
	"acyclic/internal/proof/steptest"
)

var genesis = chaincfg.RegressionNetParams.GenesisBlock

const bits = 0x207fffff

// grow mines n blocks on a header.
func grow(on *wire.BlockHeader, n int, salt uint64) []*wire.MsgBlock {
	return Grow(on, n, bits, salt, 0)
}

func headersOf(blocks []*wire.MsgBlock) (list []*wire.BlockHeader) {
	for _, b := range blocks {
		list = append(list, &b.Header)
	}
	return list
}

func hashOf(b *wire.MsgBlock) chainhash.Hash { return b.BlockHash() }

func newWorker(t *testing.T, cfg EngineConfig) (*steptest.Rig, *Store) {
	s := NewStore(genesis)
	return steptest.New(t, NewWorker(cfg, s, rand.New(rand.NewPCG(1, 1))), nil), s
}

func submit(r *steptest.Rig, seen uint64, blocks ...*wire.MsgBlock) (a chain.BlockApplied) {
	for _, b := range blocks {
		call := r.Ask(chain.ApplyBlock{Payload: fixture.Payload(b), Hash: hashOf(b), Seen: seen})
		r.Advance(time.Minute)
		a = steptest.WantAnswer[chain.BlockApplied](r, call, "a verdict")
	}
	return a
}

func TestWorkerReorganises(t *testing.T) {
	r, s := newWorker(t, EngineConfig{})
	one, two := grow(&genesis.Header, 2, 1), grow(&genesis.Header, 3, 2)
	a := submit(r, 0, one...)
	if a.Verdict.Code != chain.OK || !a.Verdict.InBestChain || a.Last != 2 || len(a.Events) != 2 {
		t.Fatalf("%+v", a)
	}
	a = submit(r, 2, two[:2]...)
	if a.Verdict.Code != chain.OK || a.Verdict.InBestChain || len(a.Events) != 0 || a.Tips.Block.Hash != hashOf(one[1]) {
		t.Fatalf("a branch of the same work stays aside: %+v", a)
	}
	a = submit(r, 2, two[2])
	if len(a.Events) != 5 || a.Last != 7 || a.Tips.Block.Hash != hashOf(two[2]) || a.Tips.Block.Height != 3 {
		t.Fatalf("%+v", a)
	}
	for i, want := range []chainhash.Hash{hashOf(one[1]), hashOf(one[0]), hashOf(two[0]), hashOf(two[1]), hashOf(two[2])} {
		switch e := a.Events[i].(type) {
		case chain.BlockDisconnected:
			if i >= 2 || e.Hash != want {
				t.Errorf("event %d disconnects %v", i, e.Hash)
			}
		case chain.BlockConnected:
			if i < 2 || e.Hash != want {
				t.Errorf("event %d connects %v", i, e.Hash)
			}
		}
	}
	if a = submit(r, 5, two[2]); a.Verdict.Code != chain.Duplicate || len(a.Events) != 2 {
		t.Errorf("only the events that were not seen are repeated: %+v", a)
	}
	if err := s.check(); err != nil {
		t.Error(err)
	}
}

func TestWorkerVerdicts(t *testing.T) {
	b := grow(&genesis.Header, 4, 1)
	mutated := *b[2]
	mutated.Transactions = append([]*wire.MsgTx{}, b[1].Transactions...)
	late := Mine(hashOf(b[0]), steptest.Epoch.Add(3*time.Hour), bits, 7, 0)
	forked := grow(&b[0].Header, 1, 9)

	r, s := newWorker(t, EngineConfig{})
	s.BadBlocks[hashOf(b[1])] = true
	call := r.Ask(chain.ApplyHeaders{Headers: headersOf(b)})
	h := steptest.WantAnswer[chain.HeadersApplied](r, call, "headers").Verdict
	if h.Accepted != 4 || h.New != 4 || h.Code != chain.OK || h.Best.Hash != hashOf(b[3]) || h.Fork != h.Last {
		t.Fatalf("%+v", h)
	}
	for _, c := range []struct {
		why   string
		block *wire.MsgBlock
		want  chain.Code
	}{
		{"its parent's block is missing", b[1], chain.Orphan},
		{"the first block", b[0], chain.OK},
		{"again", b[0], chain.Duplicate},
		{"three hours ahead", late, chain.TooNew},
		{"in the set", b[1], chain.Invalid},
		{"again", b[1], chain.Invalid},
		{"its ancestor was", b[3], chain.Invalid},
		{"a new header on a bad one", grow(&b[3].Header, 1, 3)[0], chain.BadAncestor},
		{"another branch", forked[0], chain.OK},
	} {
		if a := submit(r, 0, c.block); a.Verdict.Code != c.want {
			t.Errorf("%s: %v, want %v", c.why, a.Verdict.Code, c.want)
		}
	}
	if s.header.Hash != hashOf(forked[0]) {
		t.Errorf("the best header is %v, on the branch of a bad block", s.header.Hash)
	}
	bad := grow(&forked[0].Header, 2, 4)
	s.BadHeaders[hashOf(bad[1])] = true
	call = r.Ask(chain.ApplyHeaders{Headers: headersOf(bad)})
	if h = steptest.WantAnswer[chain.HeadersApplied](r, call, "headers").Verdict; h.Accepted != 1 || h.Code != chain.Invalid {
		t.Errorf("%+v", h)
	}
	mutated.Header = bad[0].Header
	if a := submit(r, 0, &mutated); a.Verdict.Code != chain.Mutated {
		t.Errorf("a body that is not the header's: %v", a.Verdict.Code)
	}
	if a := submit(r, 0, bad[0]); a.Verdict.Code != chain.OK {
		t.Errorf("the right body: %v", a.Verdict.Code)
	}
}

// A clock that was ahead takes a header. When it has gone back the block is too new, until its
// time has come.
func TestWorkerClock(t *testing.T) {
	r, s := newWorker(t, EngineConfig{})
	early := Mine(hashOf(genesis), steptest.Epoch.Add(3*time.Hour), bits, 7, 0)
	for _, c := range []struct {
		ahead time.Duration
		want  chain.Code
	}{{0, chain.TooNew}, {time.Hour, chain.OK}} {
		s.Ahead = c.ahead
		call := r.Ask(chain.ApplyHeaders{Headers: headersOf([]*wire.MsgBlock{early})})
		if h := steptest.WantAnswer[chain.HeadersApplied](r, call, "headers").Verdict; h.Code != c.want {
			t.Errorf("%v ahead, the header: %v, want %v", c.ahead, h.Code, c.want)
		}
	}
	s.Ahead = 0
	if a := submit(r, 0, early); a.Verdict.Code != chain.TooNew {
		t.Errorf("the block: %v", a.Verdict.Code)
	}
	r.Advance(time.Hour)
	if a := submit(r, 0, early); a.Verdict.Code != chain.OK {
		t.Errorf("the block, an hour later: %v", a.Verdict.Code)
	}
}

func TestWorkerIsSlowAndInOrder(t *testing.T) {
	r, _ := newWorker(t, EngineConfig{MaxApply: time.Second})
	b := grow(&genesis.Header, 5, 1)
	for _, block := range b {
		r.Ask(chain.ApplyBlock{Payload: fixture.Payload(block), Hash: hashOf(block)})
	}
	r.Advance(5 * time.Second)
	for _, block := range b {
		a, _ := steptest.WantEffect[chain.BlockApplied](r, actor.Answer, "in the order asked")
		if a.Verdict.Hash != hashOf(block) || a.Verdict.Code != chain.OK {
			t.Fatalf("%+v", a.Verdict)
		}
	}
}

func TestWorkerFails(t *testing.T) {
	r, _ := newWorker(t, EngineConfig{FatalAt: 2})
	b := grow(&genesis.Header, 2, 1)
	if a := submit(r, 0, b[0]); a.Fatal != "" {
		t.Error("the database fails too early")
	}
	if a := submit(r, 0, b[1]); a.Fatal == "" || a.Verdict.Code != chain.Fatal {
		t.Errorf("%+v", a)
	}
	call := r.Ask(chain.CatchUp{})
	if a := steptest.WantAnswer[chain.CaughtUp](r, call, "for good"); a.Fatal == "" || a.Last != 1 {
		t.Errorf("%+v", a)
	}
}

func TestReaders(t *testing.T) {
	w, s := newWorker(t, EngineConfig{})
	main, side := grow(&genesis.Header, 30, 1), grow(&genesis.Header, 5, 2)
	w.Ask(chain.ApplyHeaders{Headers: headersOf(main)})
	submit(w, 0, main[:20]...)
	submit(w, 0, side...)
	r := steptest.New(t, NewReaders(EngineConfig{MaxRead: time.Second}, s, rand.New(rand.NewPCG(1, 1))), nil)

	call := r.Ask(chain.GetPath{To: hashOf(main[29]), Max: 4})
	r.WantNothing("it takes its time")
	r.Advance(time.Second)
	p := steptest.WantAnswer[chain.Path](r, call, "a path")
	if !p.Known || len(p.Missing) != 4 || p.Missing[0].Hash != hashOf(main[20]) || p.Have != 0 {
		t.Errorf("%+v", p)
	}
	call = r.Ask(chain.GetPath{To: hashOf(main[29]), After: hashOf(main[23]), Max: 100})
	r.Advance(time.Second)
	if p = steptest.WantAnswer[chain.Path](r, call, "a path"); len(p.Missing) != 6 || p.Missing[0].Hash != hashOf(main[24]) {
		t.Errorf("%+v", p)
	}

	call = r.Ask(chain.GetLocator{})
	r.Advance(time.Second)
	l := steptest.WantAnswer[chain.Locator](r, call, "a locator")
	if *l.Hashes[0] != hashOf(main[29]) || *l.Hashes[len(l.Hashes)-1] != hashOf(genesis) || len(l.Hashes) >= 30 {
		t.Errorf("%d hashes", len(l.Hashes))
	}
	fork := hashOf(side[2])
	for _, c := range []struct {
		locator []*chainhash.Hash
		stop    chainhash.Hash
		want    []*wire.MsgBlock
	}{
		{l.Hashes, chainhash.Hash{}, nil}, // from the best header: the chains share the tip
		{[]*chainhash.Hash{&fork}, hashOf(main[6]), main[:7]},
		{nil, hashOf(side[1]), side[1:2]},
	} {
		call = r.Ask(chain.GetHeaders{Locator: c.locator, Stop: c.stop})
		r.Advance(time.Second)
		a := steptest.WantAnswer[chain.Headers](r, call, "headers")
		if len(a.Headers) != len(c.want) || len(c.want) > 0 && a.Headers[0].BlockHash() != hashOf(c.want[0]) {
			t.Errorf("%d headers, want %d", len(a.Headers), len(c.want))
		}
	}

	call = r.Ask(chain.GetForks{Hashes: []chainhash.Hash{hashOf(side[4]), hashOf(main[3]), {1}}})
	r.Advance(time.Second)
	f := steptest.WantAnswer[chain.Forks](r, call, "forks")
	if f.Shared[0].Height != 0 || f.Points[0].Height != 5 || f.Shared[1].Height != 4 || f.Points[2] != (chain.Point{}) {
		t.Errorf("%+v", f)
	}

	call = r.Ask(chain.GetBlock{Hash: hashOf(main[3]), Witness: true})
	r.Advance(time.Second)
	if b := steptest.WantAnswer[chain.Block](r, call, "a block"); b.Height != 4 || len(b.Payload) != main[3].SerializeSize() {
		t.Errorf("height %d, %d bytes", b.Height, len(b.Payload))
	}
	call = r.Ask(chain.GetBlock{Hash: hashOf(side[0])})
	r.Advance(time.Second)
	if b := steptest.WantAnswer[chain.Block](r, call, "not of the best chain"); b.Payload != nil {
		t.Error("a stale block is served")
	}
	call = r.Ask(chain.GetHeader{Hash: hashOf(main[3])})
	r.Advance(time.Second)
	if h := steptest.WantAnswer[chain.HeaderInfo](r, call, "a header"); !h.InBestChain || h.Next != hashOf(main[4]) {
		t.Errorf("%+v", h)
	}
}
