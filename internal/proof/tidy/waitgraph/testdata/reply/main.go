// A question has a channel for its answer. The asker waits for the answerer to take
// the question and to answer it. The asker then waits for nothing else, so the
// answerer does not wait for the asker.
package main

type question struct{ reply chan int }

type oracle struct{ in chan question }

func (o *oracle) run() {
	for {
		select {
		case q := <-o.in:
			q.reply <- 42
		}
	}
}

func (o *oracle) ask() int {
	reply := make(chan int)
	o.in <- question{reply}
	return <-reply
}

type asker struct {
	tick chan struct{}
	*oracle
}

func (a asker) run() {
	for range a.tick {
		a.ask()
	}
}

func main() {
	o := &oracle{in: make(chan question)}
	go o.run()
	asker{make(chan struct{}), o}.run()
}
