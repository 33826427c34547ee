// Package sample has each kind of place that gets a mutant, and places that get none.
package sample

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

type box struct {
	at    time.Time
	n     int
	woken bool
}

func (b *box) wake()              { b.woken = true }
func (b *box) Log(string)         {}
func (b *box) check() error       { return errors.New("part of the proof") }
func (b *box) String() string     { return "only says something" }
func (b *box) due() time.Time     { return b.at }
func (b *box) full(most int) bool { return b.n >= most && !b.woken }

func (b *box) add(n int) error {
	if err := b.check(); err != nil {
		return err
	}
	b.Log("only says something")
	for range n {
		b.n = min(b.n+1, 9)
	}
	b.n++
	b.wake()
	return nil
}

func (b *box) kind(x any) (int, error) {
	switch x := x.(type) {
	case int:
		return x - b.n, nil
	default:
		panic("only says something")
	}
}

func (b *box) size() int {
	switch {
	case b.n > 9, b.woken:
		return 9
	case b.n > 3:
		return 3
	}
	return 0
}

func (b *box) late(now time.Time) {
	if b.at.Before(now) {
		return
	}
	func() { defer b.wake() }()
}

// pair has fields of the same types.
type pair struct {
	best, common string
	low, high    [4]byte
	left, right  box
	one, two     []int
	seen         map[string]int
	sizes        [4]int
	mu, other    sync.Mutex
	only         bool
}

type outer struct {
	*pair
	best int // hides the one of pair
}

func both(string, string)        {}
func list(int, ...string)        {}
func (p *pair) self() *pair      { return p }
func (p *pair) swapped()         { both(p.best, "constant") }
func (p *pair) called() string   { return p.self().best }
func (p *pair) told() error      { return fmt.Errorf("only says something of %s", p.best) }
func (p *pair) constant() int    { return len(p.low) + len(p.one) }
func (p *pair) alone() bool      { return p.only }
func (o *outer) hidden() string  { return o.common }
func (o *outer) promoted() []int { return o.one }

func (p *pair) fields(a, b string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.best = p.common
	p.left.n = p.right.n
	p.left.wake()
	p.one[0]++
	p.low[0] = p.high[1]
	copy(p.low[:], p.high[:])
	q := &p.one
	for p.sizes[0] = range *q {
		p.seen[a] = len(b)
	}
	both(a, b)
	both(a, a)
	list(1, a, b)
}
