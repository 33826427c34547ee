// As reply, but the asker goes away when the answer is late. Then the answerer waits
// for a receiver that never comes, and the two may wait for each other.
package main

import "time"

type question struct{ reply chan int }

type oracle struct{ in chan question }

func (o *oracle) run() {
	for q := range o.in {
		q.reply <- 42
	}
}

func (o *oracle) ask() int {
	reply := make(chan int)
	o.in <- question{reply}
	select {
	case n := <-reply:
		return n
	case <-time.After(time.Second):
		return 0
	}
}

func main() {
	o := &oracle{in: make(chan question)}
	go o.run()
	o.ask()
}
