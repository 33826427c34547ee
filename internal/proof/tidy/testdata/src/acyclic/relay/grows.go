package relay

import "slices"

// ledger has lists that only grow, and lists that do not.
type ledger struct {
	all    []int
	byID   map[int]int
	queue  []int
	ring   []int
	seen   map[int]bool
	part   part
	shared []int
	inner  struct{ deep []int }
}

type part struct{ list []int }

type bag[T any] struct{ in, out []T }

func (b *bag[T]) put(x T) {
	b.in = append(b.in, x)
	b.out = append(b.out, x) // want "out only grows"
}

func (b *bag[T]) take() { b.in = b.in[1:] }

func (l *ledger) adds(n int) {
	l.all = append(l.all, n)               // want "all only grows"
	l.byID[n] = n                          // want "byID only grows"
	l.inner.deep = append(l.inner.deep, n) // want "deep only grows"
	l.queue = append(l.queue, n)
	l.part.list = append(l.part.list, n)
	l.shared = append(l.shared, n)
	if len(l.ring) < 8 {
		l.ring = append(l.ring, n)
	}
	if len(l.ring) < 8 {
		l.seen[n] = true // want "seen only grows"
	}
}

func (l *ledger) cuts() (made ledger) {
	l.queue = slices.Delete(l.queue, 0, 1)
	l.part = part{}
	give(&l.shared)
	made.all = append(made.all, 1)
	return made
}

func give(*[]int) {}
