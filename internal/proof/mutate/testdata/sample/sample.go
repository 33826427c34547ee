// Package sample has each kind of place that gets a mutant, and places that get none.
package sample

import (
	"errors"
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
