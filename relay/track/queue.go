package track

import "slices"

// queue is a heap of announcements, the first one at index 0. An announcement is in
// one queue at most, and knows its place there. So it can be taken out of the middle.
type queue []*announcement

// order says what comes first in a queue.
type order uint8

const (
	byTime     order = iota // what is due first
	byRank                  // what is to be asked for first
	bySequence              // what was announced first
)

// before says whether a comes before b. No two announcements are equal: the sequence
// numbers differ, and of one transaction so do the peers.
func (o order) before(a, b *announcement) bool {
	switch {
	case o == byTime && !a.at.Equal(b.at):
		return a.at.Before(b.at)
	case o == byRank:
		return a.better(b)
	}
	return a.sequence < b.sequence
}

func (q *queue) push(a *announcement, o order) {
	a.place = int32(len(*q))
	*q = append(*q, a)
	q.up(len(*q)-1, o)
}

func (q *queue) remove(a *announcement, o order) {
	i, last := int(a.place), len(*q)-1
	q.swap(i, last)
	*q = shorter(*q)
	if i < last {
		q.up(i, o)
		q.down(i, o)
	}
}

func (q queue) swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = int32(i), int32(j)
}

func (q queue) up(i int, o order) {
	// The first one is its own parent, and not before itself.
	for o.before(q[i], q[(i-1)/2]) {
		q.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (q queue) down(i int, o order) {
	for {
		first := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(q) && o.before(q[child], q[first]) {
				first = child
			}
		}
		if first == i {
			return
		}
		q.swap(i, first)
		i = first
	}
}

// first are the first n of the queue, in its order. The queue stays as it is: beside
// it runs a small heap of those whose parents have been given out.
func (q queue) first(n int, o order) []*announcement {
	var given []*announcement
	for open := slices.Clone(q[:1]); len(given) < min(n, len(q)); {
		a := open[0]
		open = open[1:]
		given = append(given, a)
		for child := 2*int(a.place) + 1; child <= 2*int(a.place)+2 && child < len(q); child++ {
			i, _ := slices.BinarySearchFunc(open, q[child], func(x, y *announcement) int {
				if o.before(x, y) {
					return -1
				}
				return 1
			})
			open = slices.Insert(open, i, q[child])
		}
	}
	return given
}

// roomy is the capacity from which a list gives memory back.
const roomy = 64

// shorter drops the last member of a list. A list that has become much shorter than
// it was gets less memory.
func shorter(list []*announcement) []*announcement {
	list[len(list)-1] = nil
	list = list[:len(list)-1]
	if cap(list) > roomy && len(list) < cap(list)/4 {
		return append(make([]*announcement, 0, cap(list)/2), list...)
	}
	return list
}
