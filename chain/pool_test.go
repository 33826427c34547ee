package chain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestStoryOfTransactions is what chain does with transactions, in one story.
func TestStoryOfTransactions(t *testing.T) {
	r, _ := start(t)

	// A hundred transactions come. The worker is given one.
	var calls []actor.RawCall
	for n := range int32(100) {
		calls = append(calls, r.Ask(txAt(n)))
	}
	q, one := steptest.WantAsk[ApplyTx](r, "the first")
	if q.ID != idAt(0) || q.Source != 77 || !q.Orphan || q.Test {
		t.Errorf("asked %+v", q)
	}
	r.WantNothing("the other 99 wait here")

	// A block comes, and passes all that wait.
	r.Ask(blockAt(1))
	_, apply := steptest.WantAsk[ApplyBlock](r, "it stands behind the transaction in hand")
	r.Reply(one, taken(0, 1, accepted(0)))
	if got := steptest.Want[TxAccepted](r, "on the topic of transactions"); got.Txs[0].ID != idAt(0) {
		t.Errorf("published %+v", got)
	}
	if v := steptest.WantAnswer[TxVerdict](r, calls[0], "its verdict"); v.Code != TxOK || v.Fee != 500 {
		t.Errorf("the verdict is %+v", v)
	}
	_, two := steptest.WantAsk[ApplyTx](r, "the second stands behind the block")

	// The block confirms the first. Each kind of event goes to its topic, in order.
	r.Reply(apply, BlockApplied{
		Verdict: Verdict{Hash: pointAt(1).Hash, InBestChain: true},
		Changes: Changes{Tips: tipsAt(1), Last: 4, Events: []Event{
			connected(1), TxRemoved{RemovedConfirmed, []TxID{idAt(0)}}, TxConfirmed{[]TxID{idAt(0)}},
		}},
	})
	var got []string
	for _, e := range r.Pending()[:3] {
		got = append(got, fmt.Sprintf("%T on %d", e.Body, e.Topic))
	}
	if s := strings.Join(got, ", "); s != "chain.BlockConnected on 2, chain.TxRemoved on 3, chain.TxConfirmed on 3" {
		t.Errorf("published %s", s)
	}
	r.Drop()

	// The second takes too long. It is asked again before the third, and what its first try
	// has done is published once.
	r.Fail(two, actor.ErrTimeout)
	_, catchUp := steptest.WantAsk[CatchUp](r, "the lost answer may have brought events")
	r.WantNothing("the worker still has the second: there is no slot")
	r.Late(two)
	again, two := steptest.WantAsk[ApplyTx](r, "the second once more")
	if again.ID != idAt(1) || again.Seen != 4 {
		t.Errorf("asked %+v", again)
	}
	r.Reply(catchUp, CaughtUp{Changes{Tips: tipsAt(1), Events: []Event{accepted(1)}, Last: 5}})
	steptest.Want[TxAccepted](r, "the first try had succeeded")
	late := taken(1, 5, accepted(1))
	late.Verdict.Code, late.Tips = TxKnown, tipsAt(1)
	r.Reply(two, late)
	if v := steptest.WantAnswer[TxVerdict](r, calls[1], "one verdict"); v.Code != TxKnown {
		t.Errorf("the verdict is %+v", v)
	}
	_, three := steptest.WantAsk[ApplyTx](r, "the third")
	r.WantNothing("the event is published once")

	// The worker dies. Everybody is told.
	r.Fail(three, actor.ErrGone)
	r.WantHalt("an adapter does not come back")
	for _, call := range calls[2:] {
		if v := steptest.WantAnswer[TxVerdict](r, call, "told at once"); v.Code != TxFatal || v.Detail == "" {
			t.Errorf("the verdict is %+v", v)
		}
	}
	if v := steptest.WantAnswer[TxVerdict](r, r.Ask(txAt(200)), "and who comes later"); v.Code != TxFatal || v.ID != idAt(200) {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantNothing("nothing else")
}

// What is asked about a transaction reaches the worker, and its answer the caller.
func TestThePoolIsAskedAsChainIs(t *testing.T) {
	r, _ := start(t)
	added := time.Unix(1_700_000_000, 0)
	r.Ask(SubmitTx{Tx: &wire.MsgTx{Version: 9}, ID: idAt(1), Test: true, Ours: true, Added: added})
	if q, _ := steptest.WantAsk[ApplyTx](r, "a test"); q.Tx.Version != 9 || !q.Test || !q.Ours || q.Orphan || !q.Added.Equal(added) {
		t.Errorf("asked %+v", q)
	}

	out := wire.OutPoint{Hash: idAt(2).TxID, Index: 7}
	call := r.Ask(GetTxOut{Out: out, Pool: true})
	find, ask := steptest.WantAsk[FindTxOut](r, "an output")
	if find.Out != out || !find.Pool {
		t.Errorf("asked %+v", find)
	}
	r.Reply(ask, TxOutFound{TxOut{Known: true, Value: 5}, Changes{Tips: tipsAt(0)}})
	if a := steptest.WantAnswer[TxOut](r, call, "the output"); !a.Known || a.Value != 5 {
		t.Errorf("answered %+v", a)
	}

	call = r.Ask(Prioritise{TxID: idAt(3).TxID, Delta: -4})
	add, ask := steptest.WantAsk[ApplyPriority](r, "a priority")
	if add.TxID != idAt(3).TxID || add.Delta != -4 {
		t.Errorf("asked %+v", add)
	}
	r.Reply(ask, PriorityApplied{Changes{Tips: tipsAt(0)}})
	steptest.WantAnswer[Prioritised](r, call, "added")

	call = r.Ask(SavePool{})
	_, ask = steptest.WantAsk[WritePool](r, "the file")
	r.Reply(ask, PoolWritten{PoolSaved{Path: "mempool.dat"}, Changes{Tips: tipsAt(0)}})
	if a := steptest.WantAnswer[PoolSaved](r, call, "written"); a.Path != "mempool.dat" {
		t.Errorf("answered %+v", a)
	}

	r.Ask(GetTemplate{Txs: true})
	if q, _ := steptest.WantAsk[MakeTemplate](r, "a template"); !q.Txs {
		t.Error("a template with transactions was asked for")
	}
}

// The worker is slow. A priority must not be added twice, so its caller is refused, and
// looks. Who asked for an output or the file asks again if it still wants to.
func TestAPriorityIsNotAskedTwice(t *testing.T) {
	r, m := start(t)
	var calls []actor.RawCall
	for range 2 {
		for _, q := range []any{GetTxOut{}, Prioritise{}, SavePool{}} {
			calls = append(calls, r.Ask(q))
		}
	}
	_, out := steptest.WantAsk[FindTxOut](r, "one of each")
	_, priority := steptest.WantAsk[ApplyPriority](r, "one of each")
	_, save := steptest.WantAsk[WritePool](r, "one of each")
	r.WantNothing("a block may come")
	for i, ask := range []steptest.Asked{out, priority, save} {
		r.Fail(ask, actor.ErrTimeout)
		r.WantRefused(calls[i], "the worker may still do it")
	}
	_, catchUp := steptest.WantAsk[CatchUp](r, "it may have done something else")
	r.WantNothing("the worker still has them")

	r.Reply(catchUp, CaughtUp{Changes{Tips: tipsAt(0), Fatal: "the disk is full"}})
	r.WantHalt("the node cannot go on")
	for _, call := range calls[3:] {
		r.WantRefused(call, "there is no engine")
	}
	for _, q := range []any{GetTxOut{}, Prioritise{}, SavePool{}} {
		r.WantRefused(r.Ask(q), "nor later")
	}
	if held(m) != 0 {
		t.Error("something still waits")
	}
}

// Both floods at a time: of seven questions that the worker carries out while both last, one
// is a transaction at least, and no block has two of them before it.
func TestL8NeitherFloodStarvesTheOther(t *testing.T) {
	r, _ := start(t)
	var atWorker []actor.Effect
	height, n, last := int32(0), int32(0), uint64(0)
	take := func() {
		for _, e := range r.Pending() {
			if e.Kind == actor.Ask {
				atWorker = append(atWorker, e)
			}
		}
		r.Drop()
	}
	for range 3 * testBounds.Worker {
		height, n = height+1, n+1
		r.Ask(blockAt(height))
		r.Ask(txAt(n))
		r.Ask(SubmitHeaders{})
	}
	take()
	sinceTx, txs := 0, 0
	for range 200 {
		ahead := 0
		for _, e := range atWorker {
			if _, is := e.Body.(ApplyTx); is {
				ahead++
			}
		}
		if ahead > 1 {
			t.Fatalf("the worker has %d transactions, and a block may come", ahead)
		}
		e := atWorker[0]
		atWorker = atWorker[1:]
		last++
		switch q := e.Body.(type) {
		case ApplyTx:
			sinceTx, txs, n = 0, txs+1, n+1
			r.Reply(steptest.AskedBy(e), TxApplied{Changes: Changes{Tips: tipsAt(0)}})
			r.Ask(txAt(n))
		case ApplyBlock:
			sinceTx++
			height++
			r.Reply(steptest.AskedBy(e), BlockApplied{Changes: Changes{Tips: tipsAt(0)}})
			r.Ask(blockAt(height))
		case ApplyHeaders:
			sinceTx++
			r.Reply(steptest.AskedBy(e), HeadersApplied{Changes: Changes{Tips: tipsAt(0)}})
			r.Ask(SubmitHeaders{})
		default:
			t.Fatalf("the worker is asked %T", q)
		}
		if sinceTx > 2*testBounds.Worker {
			t.Fatalf("%d blocks and headers, and no transaction", sinceTx)
		}
		take()
	}
	if txs == 0 {
		t.Error("no transaction was taken")
	}
}

// In one step a transaction that waited is asked after the blocks.
func TestBlocksGoBeforeTransactions(t *testing.T) {
	r, m := start(t)
	m.txs.push(txAt(1), SubmitTx{}.Call(actor.Input{Body: SubmitTx{}, Call: actor.RawCall{Seq: 1}}))
	m.blocks.push(blockAt(1), SubmitBlock{}.Call(actor.Input{Body: SubmitBlock{}, Call: actor.RawCall{Seq: 2}}))
	r.Ask(SubmitHeaders{})
	var got []string
	for _, e := range r.Pending() {
		got = append(got, fmt.Sprintf("%T", e.Body))
	}
	if s := strings.Join(got, " "); s != "chain.ApplyHeaders chain.ApplyBlock chain.ApplyTx" {
		t.Errorf("asked %s", s)
	}
}

// Check sees a second transaction at the worker, and whatever waits in a failed chain.
func TestCheckSeesThePool(t *testing.T) {
	m := New(Ports{}, Topics{})
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	call := SubmitTx{}.Call(actor.Input{Body: SubmitTx{}, Call: actor.RawCall{Asker: 5, Seq: 1}})
	for range 2 {
		m.txs.push(txAt(1), call)
	}
	if err := m.Check(); err != nil {
		t.Errorf("transactions may wait: %v", err)
	}
	m.failed = "the disk is full"
	if m.Check() == nil {
		t.Error("a transaction waits for an engine that has failed")
	}
	m.failed = ""
	m.txs.send(func(uint64, SubmitTx) bool { return true })
	if m.Check() == nil {
		t.Error("two transactions are at the worker")
	}
}

// A rebuilt chain publishes the pool's events once more that were not confirmed.
func TestARebuiltChainPublishesThePoolsEvents(t *testing.T) {
	r, _ := startUnknown(t)
	_, ask := steptest.WantAsk[CatchUp](r, "where does the engine stand?")
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(9), Events: []Event{accepted(1), connected(9), accepted(2)}, Last: 900}})
	for _, want := range []int32{1, 2} {
		if got := steptest.Want[TxAccepted](r, "what was under way"); got.Txs[0].ID != idAt(want) {
			t.Errorf("published %+v", got)
		}
	}
	steptest.Want[BlockConnected](r, "the block between them")
}

// Who sends a transaction is at fault if it breaks a rule of consensus, and only then.
func TestFaultyTxCodes(t *testing.T) {
	names := map[string]bool{}
	for code := TxOK; code <= TxFatal; code++ {
		names[code.String()] = true
		if code.Faulty() != (code == TxInvalid) {
			t.Errorf("%v: faulty %v", code, code.Faulty())
		}
	}
	if len(names) != int(TxFatal)+1 {
		t.Errorf("two codes have one name: %v", names)
	}
	if tx := (PoolTx{Fee: 250, VSize: 125}); tx.FeeRate() != 2000 {
		t.Errorf("%d satoshi per 1,000 bytes", tx.FeeRate())
	}
	if tx := (PoolTx{Fee: 250}); tx.FeeRate() != 0 {
		t.Errorf("%d satoshi per 1,000 bytes of which there are none", tx.FeeRate())
	}
	if RemovedConfirmed.String() != "block" || RemovedReorg.String() != "reorg" {
		t.Error("a removal has the wrong name")
	}
}

// A name is by what the transaction is with its witness data and without it.
func TestNameOf(t *testing.T) {
	bare := wire.NewMsgTx(2)
	bare.AddTxIn(&wire.TxIn{})
	signed := bare.Copy()
	signed.TxIn[0].Witness = wire.TxWitness{{1}}
	if one, two := NameOf(bare), NameOf(signed); one.TxID != one.WTxID || two.TxID != one.TxID || two.WTxID == one.WTxID {
		t.Errorf("the names are %+v without witness data, and %+v with it", one, two)
	}
}
