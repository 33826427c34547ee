// Work goes one way: each stage may wait for the next one, and none for the one
// before.
package main

import "sync"

type stage struct{ in, out chan int }

func (s stage) run() {
	for n := range s.in {
		s.out <- n + 1
	}
	close(s.out)
}

type sink struct {
	in   chan int
	done sync.WaitGroup
}

func (s *sink) run() {
	defer s.done.Done()
	for range s.in {
	}
}

func main() {
	a, b := make(chan int), make(chan int, 1)
	first := stage{in: a, out: b}
	last := &sink{in: b}
	last.done.Add(1)
	go first.run()
	go last.run()
	a <- 1
	close(a)
	last.done.Wait()
}
