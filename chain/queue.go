package chain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"acyclic/internal/kernel/actor"
)

// queue holds the questions of one kind, Q, that need the worker. They keep the
// order in which they came. The callers' windows bound how many there are, and
// chain's port bounds how many of them the worker has.
type queue[Q, A any] struct {
	next  uint64 // the number of the next question
	waits []item[Q, A]
	asked []item[Q, A] // those that the worker has
}

// item is one question. Its number is the key under which the worker is asked.
type item[Q, A any] struct {
	number uint64
	q      Q
	call   actor.Call[A]
}

func inOrder[Q, A any](a, b item[Q, A]) int { return cmp.Compare(a.number, b.number) }

func (q *queue[Q, A]) len() int { return len(q.waits) + len(q.asked) }

func (q *queue[Q, A]) push(question Q, call actor.Call[A]) {
	q.waits = append(q.waits, item[Q, A]{q.next, question, call})
	q.next++
}

// send asks the questions that wait, the oldest first, until ask finds no slot.
// An answer, or Freed, brings the next chance.
func (q *queue[Q, A]) send(ask func(key uint64, question Q) bool) {
	for len(q.waits) > 0 && ask(q.waits[0].number, q.waits[0].q) {
		q.asked = append(q.asked, q.waits[0])
		q.waits = slices.Delete(q.waits, 0, 1)
	}
}

// take removes and returns the question that the worker had under a key.
func (q *queue[Q, A]) take(key uint64) item[Q, A] {
	i := slices.IndexFunc(q.asked, func(it item[Q, A]) bool { return it.number == key })
	if i < 0 {
		panic(fmt.Sprintf("chain: the worker was not asked question %d of %T", key, q))
	}
	it := q.asked[i]
	q.asked = slices.Delete(q.asked, i, i+1)
	return it
}

// back returns a question that was taken to its old position.
func (q *queue[Q, A]) back(it item[Q, A]) {
	i, _ := slices.BinarySearchFunc(q.waits, it, inOrder)
	q.waits = slices.Insert(q.waits, i, it)
}

// drop removes and returns all questions that wait.
func (q *queue[Q, A]) drop() []item[Q, A] {
	all := q.waits
	q.waits = nil
	return all
}

func (q *queue[Q, A]) check(failed bool) error {
	if failed && len(q.waits) > 0 {
		return errors.New("chain: a question waits for an engine that has failed")
	}
	for _, list := range [][]item[Q, A]{q.waits, q.asked} {
		for _, it := range list {
			if it.number >= q.next || it.call.IsZero() {
				return fmt.Errorf("chain: nobody asked question %d of %d", it.number, q.next)
			}
		}
	}
	if !slices.IsSortedFunc(q.waits, inOrder) {
		return errors.New("chain: a queue is out of order")
	}
	return nil
}

// What a question goes through. end says what its caller gets from a chain that has
// failed.

// hold queues a question. A failed chain ends it at once.
func hold[Q, A any](m *Machine, queue *queue[Q, A], q Q, call actor.Call[A], end func(Q, actor.Call[A], *actor.Outbox), out *actor.Outbox) {
	if m.failed != "" {
		end(q, call, out)
		return
	}
	queue.push(q, call)
}

// again answers a question that may be asked again. If the worker was slow, it is, at its
// old position.
func again[Q, A any](m *Machine, queue *queue[Q, A], in actor.Input, c Changes, answer A, end func(Q, actor.Call[A], *actor.Outbox), out *actor.Outbox) {
	it := queue.take(in.Key)
	switch m.outcome(in, c, out) {
	case done:
		it.call.Answer(out, answer)
	case late:
		queue.back(it)
	case hopeless:
		end(it.q, it.call, out)
	}
}

// pass answers a question that is asked once. If the worker was slow, it is refused, and
// who asked may ask again. Chain must not: a priority would be added twice.
func pass[Q, A any](m *Machine, queue *queue[Q, A], in actor.Input, c Changes, answer A, out *actor.Outbox) {
	it := queue.take(in.Key)
	if m.outcome(in, c, out) == done {
		it.call.Answer(out, answer)
	} else {
		it.call.Refuse(out)
	}
}

// endAll ends what waits in a queue.
func endAll[Q, A any](queue *queue[Q, A], end func(Q, actor.Call[A], *actor.Outbox), out *actor.Outbox) {
	for _, it := range queue.drop() {
		end(it.q, it.call, out)
	}
}

// refuse ends a question whose answer has no code for a failure.
func refuse[Q, A any](_ Q, call actor.Call[A], out *actor.Outbox) { call.Refuse(out) }
