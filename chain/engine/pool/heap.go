package pool

import "container/heap"

// ranking is a heap of entries. at is where an entry keeps its position in it.
type ranking struct {
	list []*entry
	less func(a, b *entry) bool
	at   func(*entry) *int
}

func (r *ranking) Len() int           { return len(r.list) }
func (r *ranking) Less(i, j int) bool { return r.less(r.list[i], r.list[j]) }
func (r *ranking) Swap(i, j int) {
	r.list[i], r.list[j] = r.list[j], r.list[i]
	*r.at(r.list[i]), *r.at(r.list[j]) = i, j
}

// Push is for package heap.
func (r *ranking) Push(x any) {
	e := x.(*entry)
	*r.at(e) = len(r.list)
	r.list = append(r.list, e)
}

// Pop is for package heap.
func (r *ranking) Pop() any {
	n := len(r.list) - 1
	e := r.list[n]
	r.list[n] = nil
	r.list = r.list[:n]
	return e
}

func (r *ranking) add(e *entry)    { heap.Push(r, e) }
func (r *ranking) remove(e *entry) { heap.Remove(r, *r.at(e)) }
func (r *ranking) fix(e *entry)    { heap.Fix(r, *r.at(e)) }

// first is the first of all, or nil.
func (r *ranking) first() *entry {
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
