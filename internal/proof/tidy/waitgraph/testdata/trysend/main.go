// Two loops send to each other, but never wait: what does not fit is dropped.
package main

type loop struct {
	in      chan int
	dropped int
}

func (l *loop) put(n int) {
	select {
	case l.in <- n:
	default:
		l.dropped++
	}
}

func (l *loop) run(other *loop) {
	for n := range l.in {
		other.put(n)
	}
}

func main() {
	a, b := &loop{in: make(chan int, 1)}, &loop{in: make(chan int, 1)}
	go a.run(b)
	go func() { b.run(a) }()
	a.put(1)
}
