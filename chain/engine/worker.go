package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// Worker handles what chain asks of chain.Worker. One goroutine serves it. A block
// takes milliseconds to seconds, and minutes if it fills the cache. A transaction
// takes a fraction of a millisecond mostly (BenchmarkAccept), and with the orphans that
// it brings what their budget allows.
func (e *Engine) Worker() adapter.Handler { return adapter.HandlerFunc(e.handleWork) }

func (e *Engine) handleWork(_ context.Context, in actor.Input) any {
	e.work.Lock()
	defer e.work.Unlock()
	switch q := in.Body.(type) {
	case chain.ApplyHeaders:
		return e.onApplyHeaders(q)
	case chain.ApplyBlock:
		return e.onApplyBlock(q)
	case chain.CatchUp:
		return chain.CaughtUp{Changes: e.changes(q.Seen)}
	case chain.MakeTemplate:
		t := e.makeTemplate(q)
		return chain.Made{Template: t, Changes: e.changes(q.Seen)}
	case chain.ApplyTx:
		return e.onApplyTx(q)
	case chain.FindTxOut:
		return e.onFindTxOut(q)
	case chain.ApplyPriority:
		return e.onApplyPriority(q)
	case chain.WritePool:
		return e.onWritePool(q)
	default:
		panic(fmt.Sprintf("engine: the worker cannot handle %T", q))
	}
}

func (e *Engine) onApplyHeaders(q chain.ApplyHeaders) chain.HeadersApplied {
	var v chain.HeadersVerdict
	if e.fatal == "" {
		e.guard(func() { v = e.applyHeaders(q.Headers) })
	}
	if e.fatal != "" {
		v = chain.HeadersVerdict{Best: e.Tips().Header, Code: chain.Fatal, Reason: "fatal", Detail: e.fatal}
	}
	return chain.HeadersApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

func (e *Engine) onApplyBlock(q chain.ApplyBlock) chain.BlockApplied {
	var v chain.Verdict
	if e.fatal == "" {
		e.guard(func() {
			if q.Test {
				v = e.testBlock(q.Payload)
			} else {
				v = e.applyBlock(q)
			}
		})
	}
	if e.fatal != "" {
		v = chain.Verdict{Hash: q.Hash, Tip: e.Tips().Block, Code: chain.Fatal, Reason: "fatal", Detail: e.fatal}
	}
	return chain.BlockApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

// changes returns the events after number seen, and forgets those before.
func (e *Engine) changes(seen uint64) chain.Changes {
	if first := e.last - uint64(len(e.events)); seen > first {
		e.events = slices.Clone(e.events[min(seen, e.last)-first:])
	}
	return chain.Changes{Tips: e.Tips(), Events: slices.Clone(e.events), Last: e.last, Fatal: e.fatal}
}

// resolution is the least difference between two times in headers.
const resolution = time.Second

// makeTemplate says what a block on the best block needs. The worker does it,
// because btcd computes it under its chain lock.
func (e *Engine) makeTemplate(q chain.MakeTemplate) (t chain.Template) {
	if e.fatal != "" {
		return t
	}
	tips := e.Tips()
	t.Prev = tips.Block
	t.MinTime = tips.MedianTime.Add(resolution)
	t.Subsidy = blockchain.CalcBlockSubsidy(tips.Block.Height+1, e.params)
	at := second(q.Time)
	if at.Before(t.MinTime) {
		at = t.MinTime
	}
	e.guard(func() {
		var err error
		if t.Version, err = e.chain.CalcNextBlockVersion(); err != nil {
			e.fail(err)
		}
		if t.Bits, err = e.chain.CalcNextRequiredDifficulty(at); err != nil {
			e.fail(err)
		}
		if q.Txs {
			t.Txs = e.pool.Template(tips.Block.Height+1, tips.MedianTime)
		}
	})
	return t
}
