package chain

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// naive is an engine worker that connects every block and disconnects some, and
// keeps all its events for ever.
type naive struct {
	forgets bool // the broken variant: it brings each event with one answer only
	brought int  // events so far, if it forgets
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
		return w, BlockApplied{Verdict: Verdict{Hash: q.Hash, Tip: pointAt(n.height)}, Changes: n.changes(q.Seen)}
	case ApplyHeaders:
		return w, HeadersApplied{Changes: n.changes(q.Seen)}
	case CatchUp:
		return w, CaughtUp{n.changes(q.Seen)}
	case MakeTemplate:
		return w, Made{Changes: n.changes(q.Seen)}
	default:
		panic(fmt.Sprintf("the worker is asked %T", q))
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
	open   map[actor.RawCall]bool // questions without an answer
	events []Event
	tips   Tips
	err    error
}

func newRun(t *testing.T, worker *naive) *run {
	rig, m := startUnknown(t)
	r := &run{rig: rig, m: m, worker: worker, open: map[actor.RawCall]bool{}}
	r.collect()
	return r
}

// collect notes what the chain has said.
func (r *run) collect() {
	for _, e := range r.rig.Pending() {
		switch b := e.Body.(type) {
		case ApplyBlock, ApplyHeaders, CatchUp, MakeTemplate:
			r.worker.inbox = append(r.worker.inbox, atWorker{steptest.AskedBy(e), b, false})
		case Verdict, HeadersVerdict, Template:
			if !r.open[e.Call] {
				r.err = fmt.Errorf("%v is answered twice", e.Call)
			}
			if _, is := b.(Template); e.Err != nil && !is {
				r.err = fmt.Errorf("a submission is refused: %v", e.Err)
			}
			delete(r.open, e.Call)
		case Tips:
			r.tips = b
		case BlockConnected, BlockDisconnected:
			r.events = append(r.events, b.(Event))
		default:
			r.err = fmt.Errorf("unexpected %T", b)
		}
	}
	r.rig.Drop()
}

func (r *run) ask(q any) {
	r.open[r.rig.Ask(q)] = true
	r.collect()
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
	for range 200 {
		r.work(false)
	}
	switch {
	case r.err != nil:
		return r.err
	case len(r.open) > 0 || r.m.blocks.len() > 0 || r.m.headers.len() > 0 || r.m.templates.len() > 0 || r.m.behind || r.m.catchingUp:
		return fmt.Errorf("%d callers wait; left over are blocks %+v, headers %+v, templates %+v, CatchUp %v %v",
			len(r.open), r.m.blocks, r.m.headers, r.m.templates, r.m.behind, r.m.catchingUp)
	case fmt.Sprint(r.events) != fmt.Sprint(r.worker.events):
		return fmt.Errorf("published %v, the worker had %v", r.events, r.worker.events)
	case r.tips != tipsAt(r.worker.height):
		return fmt.Errorf("the tips are %+v, want height %d", r.tips, r.worker.height)
	}
	return nil
}

// TestL2NothingIsLostOrRepeated: however late the worker's answers are, each
// event is published once and in order, each question is answered once and no
// submission is refused, the tips end where the worker's are, and nothing is left
// over.
func TestL2NothingIsLostOrRepeated(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRun(t, &naive{})
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"submit", "submit", "headers", "template", "work", "work", "work", "timeout"}).Draw(rt, "step") {
			case "submit":
				r.submit()
			case "headers":
				r.ask(SubmitHeaders{})
			case "template":
				r.ask(GetTemplate{Time: r.rig.Now})
			case "work":
				r.work(rapid.Bool().Draw(rt, "disconnect"))
			case "timeout":
				r.timeout(rapid.IntRange(0, 2*testBounds.Worker).Draw(rt, "which"))
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
		r := newRun(t, &naive{forgets: forgets})
		r.work(false)
		r.submit()
		r.timeout(0)
		if err := r.end(); (err != nil) != forgets {
			t.Errorf("forgets is %v: %v", forgets, err)
		}
	}
}
