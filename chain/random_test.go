package chain

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/actor"
	"acyclic/internal/actor/steptest"
)

// naive is an engine worker that connects every block and disconnects some, and
// keeps all its events for ever.
type naive struct {
	height int32
	events []Event
	inbox  []atWorker // what it was asked, in order
}

type atWorker struct {
	ask   steptest.Asked
	block *ApplyBlock // nil: CatchUp
	seen  uint64
	late  bool // the question has timed out
}

// work handles the oldest question and returns its answer.
func (n *naive) work(disconnect bool) (w atWorker, answer any) {
	w, n.inbox = n.inbox[0], n.inbox[1:]
	if w.block != nil {
		if disconnect && n.height > 0 {
			n.events = append(n.events, BlockDisconnected{pointAt(n.height)})
			n.height--
		}
		n.height++
		n.events = append(n.events, connected(n.height))
	}
	changes := Changes{Tips: tipsAt(n.height), Events: n.events[w.seen:], Last: uint64(len(n.events))}
	if w.block == nil {
		return w, CaughtUp{changes}
	}
	return w, BlockApplied{Verdict: Verdict{Hash: w.block.Hash, Tip: pointAt(n.height)}, Changes: changes}
}

// However late the worker's answers are: each event is published once and in
// order, each submission is answered once, the tips end where the worker's are,
// and nothing is left over.
func TestNothingIsLostOrRepeated(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, m := startUnknown(t)
		worker := &naive{}
		open := map[actor.RawCall]bool{}
		var events []Event
		var tips Tips
		collect := func() {
			for _, e := range r.Pending() {
				switch b := e.Body.(type) {
				case ApplyBlock:
					worker.inbox = append(worker.inbox, atWorker{asked(e), &b, b.Seen, false})
				case CatchUp:
					worker.inbox = append(worker.inbox, atWorker{asked(e), nil, b.Seen, false})
				case Verdict:
					if !open[e.Call] {
						rt.Fatalf("%v is answered twice", e.Call)
					}
					delete(open, e.Call)
				case Tips:
					tips = b
				case BlockConnected, BlockDisconnected:
					events = append(events, b.(Event))
				default:
					rt.Fatalf("unexpected %T", b)
				}
			}
			r.Drop()
		}
		answer := func(disconnect bool) {
			w, a := worker.work(disconnect)
			if w.late {
				r.Late(w.ask)
			} else {
				r.Reply(w.ask, a)
			}
		}
		collect()
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"submit", "submit", "work", "work", "timeout", "clock"}).Draw(rt, "step") {
			case "submit":
				open[r.Ask(blockAt(int32(m.next)+1))] = true
			case "work":
				if len(worker.inbox) > 0 {
					answer(rapid.Bool().Draw(rt, "disconnect"))
				}
			case "timeout":
				if len(worker.inbox) > 0 {
					i := rapid.IntRange(0, len(worker.inbox)-1).Draw(rt, "which")
					if w := &worker.inbox[i]; !w.late {
						w.late = true
						r.Fail(w.ask, actor.ErrTimeout)
					}
				}
			case "clock":
				r.Advance(testConfig.Retry)
			}
			collect()
		}
		for range 1000 {
			if len(worker.inbox) > 0 {
				answer(false)
			} else {
				r.Advance(2 * time.Second)
			}
			collect()
		}
		if len(open) > 0 || len(m.queue) > 0 || len(m.asked) > 0 {
			rt.Fatalf("%d callers wait, %d queued, %d asked", len(open), len(m.queue), len(m.asked))
		}
		if fmt.Sprint(events) != fmt.Sprint(worker.events) {
			rt.Fatalf("published %v, the worker had %v", events, worker.events)
		}
		if tips != tipsAt(worker.height) {
			rt.Fatalf("the tips are %+v, want height %d", tips, worker.height)
		}
	})
}

func asked(e actor.Effect) steptest.Asked {
	return steptest.Asked{Ticket: actor.Ticket(e.Call.Seq), To: e.To}
}
