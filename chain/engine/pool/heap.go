package pool

import "container/heap"

// ranking is a heap. at is where an element keeps its position in it; -1: it is not in it
// any more.
type ranking[T any] struct {
	list []*T
	less func(a, b *T) bool
	at   func(*T) *int
}

func (r *ranking[T]) Len() int           { return len(r.list) }
func (r *ranking[T]) Less(i, j int) bool { return r.less(r.list[i], r.list[j]) }
func (r *ranking[T]) Swap(i, j int) {
	r.list[i], r.list[j] = r.list[j], r.list[i]
	*r.at(r.list[i]), *r.at(r.list[j]) = i, j
}

// Push is for package heap.
func (r *ranking[T]) Push(x any) {
	e := x.(*T)
	*r.at(e) = len(r.list)
	r.list = append(r.list, e)
}

// Pop is for package heap.
func (r *ranking[T]) Pop() any {
	n := len(r.list) - 1
	e := r.list[n]
	*r.at(e) = -1
	r.list[n] = nil
	r.list = r.list[:n]
	return e
}

func (r *ranking[T]) add(e *T)    { heap.Push(r, e) }
func (r *ranking[T]) remove(e *T) { heap.Remove(r, *r.at(e)) }
func (r *ranking[T]) fix(e *T)    { heap.Fix(r, *r.at(e)) }

// first is the first of all, or nil.
func (r *ranking[T]) first() *T {
	if len(r.list) == 0 {
		return nil
	}
	return r.list[0]
}

// worthLess says which of two is evicted first: the one with the lower fee rate,
// alone or with its descendants, whichever is higher. Of equals it is the younger.
func worthLess(a, b *entry) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return a.seq > b.seq
}

func older(a, b *entry) bool {
	if !a.Added.Equal(b.Added) {
		return a.Added.Before(b.Added)
	}
	return a.seq < b.seq
}
