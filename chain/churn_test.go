package chain

import (
	"slices"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestQuestionsThatEndedAreForgotten: many callers ask at a time, and the worker is
// slow at first. When all have their answers, chain remembers nothing of them.
func TestQuestionsThatEndedAreForgotten(t *testing.T) {
	r, _ := start(t)
	height := int32(0)
	r.Churn(func(int) {
		for range 6 {
			height++
			r.Ask(SubmitHeaders{})
			r.Ask(blockAt(height))
			r.Ask(GetTemplate{})
			r.Ask(GetTips{})
			askPool(r)
		}
		r.EndAll(actor.ErrTimeout)
		work(r)
	}, nil)
}

// TestCallersOfAFailedEngineAreForgotten: what waited for the engine has its answer
// when the engine has failed, and so has what comes after that.
func TestCallersOfAFailedEngineAreForgotten(t *testing.T) {
	r, _ := startUnknown(t)
	r.Churn(func(int) {
		for h := range int32(6) {
			r.Ask(SubmitHeaders{})
			r.Ask(blockAt(h))
			r.Ask(GetTemplate{})
			r.Ask(GetTips{})
			askPool(r)
		}
		r.EndAll(actor.ErrGone)
	}, nil)
}

// askPool asks each question about the pool once.
func askPool(r *steptest.Rig) {
	for _, q := range []any{txAt(1), GetTxOut{}, Prioritise{}, SavePool{}} {
		r.Ask(q)
	}
}

// work answers what the worker is asked, until it is asked nothing more.
func work(r *steptest.Rig) {
	for len(r.Pending()) > 0 {
		todo := slices.Clone(r.Pending())
		r.Drop()
		for _, e := range todo {
			if e.Kind != actor.Ask {
				continue
			}
			if ask := steptest.AskedBy(e); r.Waits(ask) {
				r.Reply(ask, workDone(e.Body))
			}
		}
	}
}

func workDone(q any) any {
	at := Changes{Tips: tipsAt(0)}
	switch q.(type) {
	case ApplyHeaders:
		return HeadersApplied{Changes: at}
	case ApplyBlock:
		return BlockApplied{Changes: at}
	case MakeTemplate:
		return Made{Changes: at}
	case ApplyTx:
		return TxApplied{Changes: at}
	case FindTxOut:
		return TxOutFound{Changes: at}
	case ApplyPriority:
		return PriorityApplied{Changes: at}
	case WritePool:
		return PoolWritten{Changes: at}
	}
	return CaughtUp{Changes: at}
}
