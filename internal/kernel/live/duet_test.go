package live

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// The messages of the cells of these tests.
type (
	ping struct { // how many answers have you had?
		actor.Asks[pong, chat]
		N int
	}
	pong struct{ N int }
	work struct{ n int }
	boom struct{}
	hold struct{ actor.Asks[pong, chat] } // never answered
	flag struct{ actor.Asks[pong, chat] } // flags the cell to crash at its next input
	tell struct{ actor.Asks[pong, chat] } // the adapter answers it wrongly
	note struct{ text string }
	chat struct{} // answers them
)

const (
	left, right, client actor.ID = 1, 2, 3
	outside             actor.ID = 9
)

// chatter is a component that asks its neighbour as often as its window allows,
// and answers what it is asked: two of them are btcd's server and sync manager.
type chatter struct {
	Ports   struct{ Ask actor.Port[ping, pong] }
	asked   int
	got     int
	failed  int
	start   []actor.Start
	topics  topics
	told    []string
	tripped bool
}

type topics struct {
	life    actor.Ledger[note, note]
	weather actor.State[string]
}

func (c *chatter) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if c.tripped {
		panic("tripped")
	}
	switch e := in.Body.(type) {
	case actor.Start:
		c.start = append(c.start, e)
		c.talk(out)
	case pong:
		if c.got++; in.Err != nil {
			c.failed++
		}
		c.talk(out)
	case ping:
		e.Call(in).Answer(out, pong{N: c.got})
	case hold:
	case flag:
		c.tripped = true
		e.Call(in).Answer(out, pong{})
	case boom:
		panic("boom")
	case string:
		c.told = append(c.told, e)
	case actor.Stop:
		out.Finish("stopped")
	}
}

func (c *chatter) talk(out *actor.Outbox) {
	for c.Ports.Ask.To != 0 && c.Ports.Ask.Free(out) > 0 {
		c.Ports.Ask.Ask(out, 0, ping{N: c.asked})
		c.asked++
	}
}
func (c *chatter) Deadline() time.Time { return time.Time{} }
func (c *chatter) Check() error        { return nil }

// logs counts records.
type logs struct{ n atomic.Int64 }

func (l *logs) Record(string, actor.ID, actor.Record) { l.n.Add(1) }

// maxDeaths in a minute stop the node.
const maxDeaths = 3

// duet is a plan of two chatters and a client; window 0 keeps a side silent.
func duet(window int) (*cell.Plan, func(actor.ID) *chatter) {
	made := map[actor.ID]*chatter{}
	plan := &cell.Plan{Deaths: cell.Deaths{Max: maxDeaths, Within: time.Minute}}
	for _, id := range []actor.ID{left, right} {
		var ports actor.Ports
		var p struct{ Ask actor.Port[ping, pong] }
		if window > 0 {
			p.Ask = actor.Connect[ping](&ports, "ask", actor.Ref[chat](left+right-id), window, time.Minute)
		}
		plan.Cells = append(plan.Cells, cell.Static{
			ID: id, Name: fmt.Sprintf("cell %d", id), Ports: ports.Specs,
			Build: func(uint32) actor.Machine {
				m := &chatter{Ports: p}
				made[id] = m
				return m
			},
		})
	}
	var ports actor.Ports
	actor.Connect[ping](&ports, "client", actor.Ref[chat](0), 4, time.Second)
	for i := range plan.Cells { // the client may have 4 questions at each
		actor.Connect[ping](&ports, "client", actor.Ref[chat](plan.Cells[i].ID), 4, time.Second)
	}
	plan.Askers = []cell.Asker{{ID: client, Name: "client", Ports: ports.Specs}}
	return plan, func(id actor.ID) *chatter { return made[id] }
}

var portOf = map[actor.ID]int{left: 1, right: 2}

func ask(n *Node, to actor.ID, q, none any) (any, error) {
	return n.Asker(client).Ask(context.Background(), portOf[to], to, q, none)
}
