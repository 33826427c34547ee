package mailbox

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// BenchmarkMessage moves messages from 1, 8 and 64 producers to one consumer,
// through a mailbox and, beside it, through a buffered channel of the same
// capacity: the ratio is what counts.
func BenchmarkMessage(b *testing.B) {
	for _, producers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("mailbox/producers=%d", producers), func(b *testing.B) { benchMailbox(b, producers) })
		b.Run(fmt.Sprintf("channel/producers=%d", producers), func(b *testing.B) { benchChannel(b, producers) })
	}
}

const benchCap = 1 << 16

func benchMailbox(b *testing.B, producers int) {
	wake := make(chan struct{}, 1)
	m := New(1, Spec{Questions: benchCap, Share: Shares{Questions: 64}}, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	var body any = "message"
	b.ReportAllocs()
	b.ResetTimer()
	produce(b.N, producers, func(p int) {
		for m.Put(Envelope{Lane: actor.Questions, In: actor.Input{Body: body, From: actor.ID(p)}}) == Full {
			runtime.Gosched() // in the node credit keeps producers from this
		}
	})
	var buf []Envelope
	for n := 0; n < b.N; {
		batch, _, what := m.Take(time.Time{}, buf[:0])
		if what == Asleep {
			<-wake
			continue
		}
		n += len(batch)
		buf = batch
	}
}

func benchChannel(b *testing.B, producers int) {
	type message struct {
		body any
		from actor.ID
	}
	ch := make(chan message, benchCap)
	var body any = "message"
	b.ReportAllocs()
	b.ResetTimer()
	produce(b.N, producers, func(p int) { ch <- message{body, actor.ID(p)} })
	for range b.N {
		<-ch
	}
}

// produce runs n calls of put, spread over goroutines.
func produce(n, producers int, put func(producer int)) {
	for p := range producers {
		share := n / producers
		if p < n%producers {
			share++
		}
		go func() {
			for range share {
				put(p)
			}
		}()
	}
}

// BenchmarkAsk is a whole question: reserve, put, take, answer, take.
func BenchmarkAsk(b *testing.B) {
	wake := func() {}
	asker, target := New(1, Spec{Ports: port(1)}, wake), New(2, Spec{Questions: 1}, wake)
	var body, none any = "question", "none"
	var buf []Envelope
	now := time.Unix(0, 1)
	b.ReportAllocs()
	for b.Loop() {
		call, _ := asker.Reserve(0, 2, 0, now.Add(time.Second), none)
		target.Put(Envelope{Lane: actor.Questions, In: actor.Input{Body: body, Call: call}})
		buf, _, _ = target.Take(now, buf[:0])
		target.Settle(buf[0].In.Call)
		asker.Answer(buf[0].In.Call, body, nil, now)
		buf, _, _ = asker.Take(now, buf[:0])
	}
}

// BenchmarkBroadcast puts one event into the mailboxes of 125 and 1,000
// subscribers: busy ones, and ones whose goroutine sleeps and has to be woken.
func BenchmarkBroadcast(b *testing.B) {
	for _, subs := range []int{125, 1000} {
		b.Run(fmt.Sprintf("busy/subscribers=%d", subs), func(b *testing.B) {
			var boxes []*Mailbox
			for i := range subs {
				boxes = append(boxes, New(actor.ID(i+1), Spec{States: 1}, func() {}))
			}
			var body any = "event"
			b.ReportAllocs()
			for b.Loop() {
				for _, m := range boxes {
					m.Put(Envelope{Lane: actor.Events, Topic: 1, In: actor.Input{Body: body}})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subs), "ns/subscriber")
		})
		b.Run(fmt.Sprintf("asleep/subscribers=%d", subs), func(b *testing.B) { benchAsleep(b, subs) })
	}
}

func benchAsleep(b *testing.B, subs int) {
	var boxes []*Mailbox
	var got, gone sync.WaitGroup
	for i := range subs {
		wake := make(chan struct{}, 1)
		m := New(actor.ID(i+1), Spec{States: 1}, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		boxes = append(boxes, m)
		gone.Go(func() {
			for {
				batch, _, what := m.Take(time.Time{}, nil)
				switch what {
				case Over:
					return
				case Asleep:
					<-wake
				}
				for range batch {
					got.Done()
				}
			}
		})
	}
	var body any = "event"
	b.ResetTimer()
	for range b.N {
		got.Add(subs)
		for _, m := range boxes {
			m.Put(Envelope{Lane: actor.Events, Topic: 1, In: actor.Input{Body: body}})
		}
		got.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subs), "ns/subscriber")
	b.StopTimer()
	for _, m := range boxes {
		m.Close()
	}
	gone.Wait()
}
