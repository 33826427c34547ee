package fake

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// EngineConfig says how long the simulated engine takes and when it fails.
type EngineConfig struct {
	// MaxApply and MaxRead bound the drawn time that one question takes at
	// the worker and at a reader. Zero: none.
	MaxApply, MaxRead time.Duration
	// HangChance is how many of 1,000 questions take HangFor.
	HangChance int
	HangFor    time.Duration
	// FatalAt is the number of the change (from 1) at which the database
	// fails. Zero: never.
	FatalAt uint64
}

// engine is what worker and readers have in common.
type engine struct {
	cfg   EngineConfig
	store *Store
	rng   *rand.Rand
	jobs  []job // the first one is answered next
}

// job is a question and when it is answered.
type job struct {
	in actor.Input
	at time.Time
}

// Calm ends the engine's failures. A question that comes later is answered at
// once. A database that has failed stays so.
func (g *engine) Calm() { g.cfg = EngineConfig{} }

// Deadline is when the next question is answered.
func (g *engine) Deadline() time.Time {
	if len(g.jobs) == 0 {
		return time.Time{}
	}
	return g.jobs[0].at
}

// takes draws how long a question takes.
func (g *engine) takes(max time.Duration) time.Duration {
	if g.cfg.HangChance > 0 && g.rng.IntN(1000) < g.cfg.HangChance {
		return g.cfg.HangFor
	}
	return draw(g.rng, max)
}

// Worker plays the engine worker: it carries out one question after the other.
type Worker struct {
	engine // the first job is under way
	done   uint64
	failed bool
}

// Readers plays the engine's readers: each question takes its own time.
type Readers struct{ engine }

// NewWorker returns the worker of a node.
func NewWorker(cfg EngineConfig, store *Store, rng *rand.Rand) *Worker {
	return &Worker{engine: engine{cfg: cfg, store: store, rng: rng}}
}

// NewReaders returns the readers of a node. They share the worker's Store.
func NewReaders(cfg EngineConfig, store *Store, rng *rand.Rand) *Readers {
	return &Readers{engine{cfg: cfg, store: store, rng: rng}}
}

// Step takes a question, or answers those that are due.
func (w *Worker) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Start, actor.Tick:
	case actor.Stop:
		out.Finish("stopped")
		return
	case chain.ApplyHeaders, chain.ApplyBlock, chain.CatchUp, chain.MakeTemplate,
		chain.ApplyTx, chain.FindTxOut, chain.ApplyPriority, chain.WritePool:
		w.jobs = append(w.jobs, job{in: in})
		if len(w.jobs) == 1 {
			w.jobs[0].at = now.Add(w.takes(w.cfg.MaxApply))
		}
	default:
		panic(fmt.Sprintf("fake: the worker is given a %T", in.Body))
	}
	for len(w.jobs) > 0 && !w.jobs[0].at.After(now) {
		j := w.jobs[0]
		w.jobs = w.jobs[1:]
		w.answer(now, j.in, out)
		if len(w.jobs) > 0 {
			w.jobs[0].at = j.at.Add(w.takes(w.cfg.MaxApply))
		}
	}
}

func (w *Worker) answer(now time.Time, in actor.Input, out *actor.Outbox) {
	if !w.failed {
		w.store.expire(now)
	}
	switch q := in.Body.(type) {
	case chain.ApplyHeaders:
		v := chain.HeadersVerdict{Code: chain.Fatal, Best: w.store.header.Point}
		if w.works() {
			v = w.store.applyHeaders(now, q.Headers)
		}
		q.Call(in).Answer(out, chain.HeadersApplied{Verdict: v, Changes: w.changes(q.Seen)})
	case chain.ApplyBlock:
		v := chain.Verdict{Hash: q.Hash, Code: chain.Fatal, Tip: w.store.tip().Point}
		if w.works() {
			v = w.store.applyBlock(now, q)
		}
		q.Call(in).Answer(out, chain.BlockApplied{Verdict: v, Changes: w.changes(q.Seen)})
	case chain.CatchUp:
		q.Call(in).Answer(out, chain.CaughtUp{Changes: w.changes(q.Seen)})
	case chain.MakeTemplate:
		q.Call(in).Answer(out, chain.Made{Template: w.store.template(q.Txs), Changes: w.changes(q.Seen)})
	default:
		w.answerPool(now, in, out)
	}
}

// answerPool answers what the pool is asked.
func (w *Worker) answerPool(now time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case chain.ApplyTx:
		v := chain.TxVerdict{ID: q.ID, Code: chain.TxFatal}
		if w.works() {
			v = w.store.applyTx(now, q)
		}
		q.Call(in).Answer(out, chain.TxApplied{Verdict: v, Changes: w.changes(q.Seen)})
	case chain.FindTxOut:
		q.Call(in).Answer(out, chain.TxOutFound{TxOut: w.store.txOut(q), Changes: w.changes(q.Seen)})
	case chain.ApplyPriority:
		if w.works() {
			w.store.pool.deltas[q.TxID] += q.Delta
		}
		q.Call(in).Answer(out, chain.PriorityApplied{Changes: w.changes(q.Seen)})
	case chain.WritePool:
		q.Call(in).Answer(out, chain.PoolWritten{PoolSaved: chain.PoolSaved{Path: "mempool.dat"}, Changes: w.changes(q.Seen)})
	}
}

// works counts a change and says whether the database still takes it.
func (w *Worker) works() bool {
	w.done++
	w.failed = w.failed || w.cfg.FatalAt != 0 && w.done >= w.cfg.FatalAt
	return !w.failed
}

func (w *Worker) changes(seen uint64) chain.Changes {
	c := w.store.changes(seen)
	if w.failed {
		c.Fatal = "the simulated database failed"
	}
	return c
}

// Queued counts the questions of q's type that wait or are under way.
func (w *Worker) Queued(q any) int {
	n := 0
	for _, j := range w.jobs {
		if reflect.TypeOf(j.in.Body) == reflect.TypeOf(q) {
			n++
		}
	}
	return n
}

// Check verifies the store.
func (w *Worker) Check() error { return w.store.check() }

// Step takes a question, or answers those that are due.
func (r *Readers) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Start, actor.Tick:
	case actor.Stop:
		out.Finish("stopped")
		return
	default:
		r.jobs = append(r.jobs, job{in, now.Add(r.takes(r.cfg.MaxRead))})
		slices.SortStableFunc(r.jobs, func(a, b job) int { return a.at.Compare(b.at) })
	}
	for len(r.jobs) > 0 && !r.jobs[0].at.After(now) {
		r.answer(r.jobs[0].in, out)
		r.jobs = r.jobs[1:]
	}
}

func (r *Readers) answer(in actor.Input, out *actor.Outbox) {
	s := r.store
	switch q := in.Body.(type) {
	case chain.GetLocator:
		q.Call(in).Answer(out, s.locator(q))
	case chain.GetPath:
		q.Call(in).Answer(out, s.path(q))
	case chain.GetForks:
		q.Call(in).Answer(out, s.forks(q))
	case chain.GetHeaders:
		q.Call(in).Answer(out, s.headers(q))
	case chain.GetHashes:
		q.Call(in).Answer(out, s.hashes(q))
	case chain.GetBlock:
		q.Call(in).Answer(out, s.block(q))
	case chain.GetHash:
		q.Call(in).Answer(out, s.hashAt(q))
	case chain.GetHeader:
		q.Call(in).Answer(out, s.headerInfo(q))
	case chain.GetPool:
		q.Call(in).Answer(out, s.poolNames())
	case chain.GetPoolTx:
		q.Call(in).Answer(out, s.poolTx(q))
	case chain.GetPoolTxs:
		q.Call(in).Answer(out, s.poolTxs(q))
	case chain.GetPoolInfo:
		q.Call(in).Answer(out, s.poolInfo())
	case chain.GetPoolEntries:
		q.Call(in).Answer(out, s.poolEntries(q))
	case chain.GetSpenders:
		q.Call(in).Answer(out, s.spenders(q))
	default:
		panic(fmt.Sprintf("fake: the readers are given a %T", in.Body))
	}
}

// Check has nothing to verify.
func (r *Readers) Check() error { return nil }

// draw is a time from 0 to max.
func draw(rng *rand.Rand, max time.Duration) time.Duration {
	if max <= 0 {
		return 0
	}
	return time.Duration(rng.Int64N(int64(max) + 1))
}
