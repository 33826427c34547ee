// Package lib stands for btcd: functions whose verdicts are found bottom up.
package lib

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

var (
	mu   sync.Mutex
	free = make(chan []byte, 1)
)

// Locks waits three calls down.
func Locks() { one() }
func one()   { two() }
func two()   { mu.Lock(); defer mu.Unlock() }

// Even and Odd name each other, and one of them waits.
func Even(n int) bool {
	if n == 0 {
		return true
	}
	return Odd(n - 1)
}

func Odd(n int) bool { time.Sleep(1); return n != 0 && Even(n-1) }

type Chain struct{ ch chan int }

func (c *Chain) Best() int { return <-c.ch }

func Select(a, b chan int) {
	select {
	case <-a:
	case b <- 1:
	}
}

func Range(a chan int) {
	for range a {
	}
}

func Go() { go Pure() }
func Order(m map[int]int) (last int) {
	for k := range m {
		last = k
	}
	return last
}

type Doer interface{ Do() }

func Dynamic(d Doer) { d.Do() }

// Values that only calculate.
func Pure() int { return 1 }

// Borrow tries: a select with a default does not wait.
func Borrow() []byte {
	select {
	case b := <-free:
		return b
	default:
		return make([]byte, 8)
	}
}

func Encode(w io.Writer, n int) error {
	_, err := w.Write([]byte(fmt.Sprint(n)))
	return err
}

func Hash(n int) []byte {
	var b bytes.Buffer
	Encode(&b, n)
	return b.Bytes()
}

type Box[T any] struct{ mu sync.Mutex }

func (b *Box[T]) Locked() { b.mu.Lock() }
func (b *Box[T]) Empty()  {}

var hook = Locks
var Hook = Locks

func ByVar() { hook() }

type Callback struct{ F func() }

func ByField(c *Callback) { c.F() }

// Out is a way out.
func Out() io.Writer { return os.Stderr }

// Hooked has a function.
type Hooked struct{ Hooks [2]func() }

var registered int

// Register changes what all see.
func Register(n int) { registered = n }
