package chain

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// naive is an engine worker that connects every block and disconnects some, takes every
// transaction, of which each block confirms the first, and keeps all its events for ever.
type naive struct {
	forgets bool    // the broken variant: it brings each event with one answer only
	deltas  []int64 // what priorities have added, in order
	pool    []TxID
	brought int // events so far, if it forgets
	height  int32
	events  []Event
	inbox   []atWorker // what it was asked, in order
}

type atWorker struct {
	ask  steptest.Asked
	q    any
	late bool // the question has timed out
}

// work handles the oldest question and returns its answer.
func (n *naive) work(disconnect bool) (w atWorker, answer any) {
	w, n.inbox = n.inbox[0], n.inbox[1:]
	switch q := w.q.(type) {
	case ApplyBlock:
		if disconnect && n.height > 0 {
			n.events = append(n.events, BlockDisconnected{pointAt(n.height)})
			n.height--
		}
		n.height++
		n.events = append(n.events, connected(n.height))
		n.confirm()
		return w, BlockApplied{Verdict: Verdict{Hash: q.Hash, Tip: pointAt(n.height)}, Changes: n.changes(q.Seen)}
	case ApplyHeaders:
		return w, HeadersApplied{Changes: n.changes(q.Seen)}
	case CatchUp:
		return w, CaughtUp{n.changes(q.Seen)}
	case MakeTemplate:
		return w, Made{Changes: n.changes(q.Seen)}
	case ApplyTx:
		v := TxVerdict{ID: q.ID, Code: TxKnown}
		if !slices.Contains(n.pool, q.ID) {
			v.Code = TxOK
			n.pool = append(n.pool, q.ID)
			n.events = append(n.events, TxAccepted{[]PoolTx{{ID: q.ID}}})
		}
		return w, TxApplied{Verdict: v, Changes: n.changes(q.Seen)}
	case FindTxOut:
		return w, TxOutFound{Changes: n.changes(q.Seen)}
	case ApplyPriority:
		n.deltas = append(n.deltas, q.Delta)
		return w, PriorityApplied{Changes: n.changes(q.Seen)}
	case WritePool:
		return w, PoolWritten{Changes: n.changes(q.Seen)}
	default:
		panic(fmt.Sprintf("the worker is asked %T", q))
	}
}

// confirm lets a block have the oldest transaction.
func (n *naive) confirm() {
	if len(n.pool) > 0 {
		first := n.pool[:1]
		n.pool = n.pool[1:]
		n.events = append(n.events, TxRemoved{RemovedConfirmed, first}, TxConfirmed{first})
	}
}

func (n *naive) changes(seen uint64) Changes {
	from := int(seen)
	if n.forgets {
		from = n.brought
	}
	n.brought = len(n.events)
	return Changes{Tips: tipsAt(n.height), Events: n.events[from:], Last: uint64(len(n.events))}
}

// run is a chain and a naive worker, with what the chain has said so far.
type run struct {
	rig    *steptest.Rig
	m      *Machine
	worker *naive
	open   map[actor.RawCall]int64 // questions without an answer, with what a priority adds
	blocks []Event                 // as published
	txs    []Event
	tips   Tips
	next   int32   // the number of the next transaction or priority
	added  []int64 // priorities that were answered with success, in order
	err    error
}

func newRun(t *testing.T, worker *naive) *run {
	rig, m := startUnknown(t)
	r := &run{rig: rig, m: m, worker: worker, open: map[actor.RawCall]int64{}}
	r.collect()
	return r
}

// collect notes what the chain has said.
func (r *run) collect() {
	for _, e := range r.rig.Pending() {
		switch b := e.Body.(type) {
		case ApplyBlock, ApplyHeaders, CatchUp, MakeTemplate, ApplyTx, FindTxOut, ApplyPriority, WritePool:
			r.queued(b)
			r.worker.inbox = append(r.worker.inbox, atWorker{steptest.AskedBy(e), b, false})
		case Verdict, HeadersVerdict, Template, TxVerdict, TxOut, Prioritised, PoolSaved:
			if _, open := r.open[e.Call]; !open {
				r.err = fmt.Errorf("%v is answered twice", e.Call)
			}
			switch b.(type) {
			case Verdict, HeadersVerdict, TxVerdict:
				if e.Err != nil {
					r.err = fmt.Errorf("a submission is refused: %v", e.Err)
				}
			case Prioritised:
				if e.Err == nil {
					r.added = append(r.added, r.open[e.Call])
				}
			}
			delete(r.open, e.Call)
		case Tips:
			r.tips = b
		case BlockConnected, BlockDisconnected:
			r.blocks = append(r.blocks, b.(Event))
		case TxAccepted, TxRemoved, TxConfirmed:
			r.txs = append(r.txs, b.(Event))
		default:
			r.err = fmt.Errorf("unexpected %T", b)
		}
	}
	r.rig.Drop()
}

func (r *run) ask(q any) {
	delta := int64(0)
	if p, is := q.(Prioritise); is {
		delta = p.Delta
	}
	r.open[r.rig.Ask(q)] = delta
	r.collect()
}

// queued verifies that the worker has at most one question of each kind about the pool.
func (r *run) queued(q any) {
	switch q.(type) {
	case ApplyTx, FindTxOut, ApplyPriority, WritePool:
		for _, w := range r.worker.inbox {
			if reflect.TypeOf(w.q) == reflect.TypeOf(q) {
				r.err = fmt.Errorf("the worker has two of %T, and a block may come", q)
			}
		}
	}
}

// about asks something about the pool.
func (r *run) about(kind string) {
	r.next++
	switch kind {
	case "tx":
		r.ask(txAt(r.next))
	case "output":
		r.ask(GetTxOut{})
	case "priority":
		r.ask(Prioritise{TxID: idAt(1).TxID, Delta: int64(r.next)})
	case "save":
		r.ask(SavePool{})
	}
}

func (r *run) submit() { r.ask(blockAt(int32(r.m.blocks.next) + 1)) }

// work lets the worker answer one question, if there is one.
func (r *run) work(disconnect bool) {
	if len(r.worker.inbox) == 0 {
		return
	}
	w, a := r.worker.work(disconnect)
	if w.late {
		r.rig.Late(w.ask)
	} else {
		r.rig.Reply(w.ask, a)
	}
	r.collect()
}

// timeout lets the i-th question at the worker time out.
func (r *run) timeout(i int) {
	if i >= len(r.worker.inbox) || r.worker.inbox[i].late {
		return
	}
	r.worker.inbox[i].late = true
	r.rig.Fail(r.worker.inbox[i].ask, actor.ErrTimeout)
	r.collect()
}

// end lets everything come to rest, and says what is wrong then.
func (r *run) end() error {
	for range 300 {
		r.work(false)
	}
	switch {
	case r.err != nil:
		return r.err
	case len(r.open) > 0 || held(r.m) > 0 || r.m.behind || r.m.catchingUp:
		return fmt.Errorf("%d callers wait; left over are blocks %+v, headers %+v, templates %+v, transactions %+v, CatchUp %v %v",
			len(r.open), r.m.blocks, r.m.headers, r.m.templates, r.m.txs, r.m.behind, r.m.catchingUp)
	case fmt.Sprint(r.blocks, r.txs) != fmt.Sprint(byTopic(r.worker.events)):
		return fmt.Errorf("published %v and %v, the worker had %v", r.blocks, r.txs, r.worker.events)
	case len(slices.Compact(slices.Sorted(slices.Values(r.worker.deltas)))) != len(r.worker.deltas):
		return fmt.Errorf("a priority was added twice: %v", r.worker.deltas)
	case !allIn(r.worker.deltas, r.added):
		return fmt.Errorf("priorities %v were said to be added, the worker has %v", r.added, r.worker.deltas)
	case r.tips != tipsAt(r.worker.height):
		return fmt.Errorf("the tips are %+v, want height %d", r.tips, r.worker.height)
	}
	return nil
}

// byTopic parts events into those of Blocks and those of Txs.
func byTopic(events []Event) (blocks, txs []Event) {
	for _, e := range events {
		if _, is := e.(TxEvent); is {
			txs = append(txs, e)
		} else {
			blocks = append(blocks, e)
		}
	}
	return blocks, txs
}

func allIn(list, some []int64) bool {
	for _, x := range some {
		if !slices.Contains(list, x) {
			return false
		}
	}
	return true
}

// TestL2NothingIsLostOrRepeated: however late the worker's answers are, each
// event is published once and in order, each question is answered once and no
// submission is refused, no priority is added twice, the tips end where the worker's
// are, and nothing is left over. The worker never has two transactions.
func TestL2NothingIsLostOrRepeated(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRun(t, &naive{})
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch step := rapid.SampledFrom([]string{"submit", "submit", "headers", "template", "tx", "tx", "output", "priority", "save", "work", "work", "work", "timeout", "timeout"}).Draw(rt, "step"); step {
			case "submit":
				r.submit()
			case "headers":
				r.ask(SubmitHeaders{})
			case "template":
				r.ask(GetTemplate{Time: r.rig.Now})
			case "tx", "output", "priority", "save":
				r.about(step)
			case "work":
				r.work(rapid.Bool().Draw(rt, "disconnect"))
			case "timeout":
				r.timeout(rapid.IntRange(0, 2*testBounds.Worker+4).Draw(rt, "which"))
			}
		}
		if err := r.end(); err != nil {
			rt.Fatal(err)
		}
	})
}

// The check above is worth something: with a worker that brings an event only
// once, one answer that comes too late is enough to fail it.
func TestAForgetfulWorkerIsCaught(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		for name, ask := range map[string]func(*run){"blocks": (*run).submit, "transactions": func(r *run) { r.about("tx") }} {
			r := newRun(t, &naive{forgets: forgets})
			r.work(false)
			ask(r)
			r.timeout(0)
			if err := r.end(); (err != nil) != forgets {
				t.Errorf("%s, forgets is %v: %v", name, forgets, err)
			}
		}
	}
}

// So are a chain that gives the worker two transactions at a time, and one that asks for
// a priority again when the worker is slow.
func TestABrokenChainIsCaught(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(*run)
		want   string
	}{
		"nothing":           {func(*run) {}, ""},
		"two transactions":  {func(r *run) { r.queued(ApplyTx{}) }, "the worker has two"},
		"asked again":       {func(r *run) { r.next--; r.about("priority") }, "added twice"},
		"said and not done": {func(r *run) { r.added = append(r.added, 7) }, "were said to be added"},
	} {
		r := newRun(t, &naive{})
		r.work(false)
		r.about("tx")
		r.about("priority")
		c.breaks(r)
		if err := r.end(); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
