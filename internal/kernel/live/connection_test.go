package live

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// poison is work that kills the sink.
const poison = -1

// peerKind is a connection: it passes on what it receives.
const peerKind actor.Kind = 1

type source struct {
	id    actor.ID
	born  chan actor.ID
	topic actor.Traffic[work]
	life  actor.Ledger[note, note]
}

func (s *source) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		s.life.Open(out, note{"ready"})
		s.born <- s.id // as a real one binds its socket: now the pump may run
	case work:
		s.topic.Publish(out, e)
	case boom:
		panic("boom")
	case actor.End:
		s.life.Close(out, note{"ended: " + e.Reason})
		out.Finish(e.Reason)
	case actor.Stop:
		s.life.Close(out, note{"gone"})
		out.Finish("stopped")
	}
}
func (s *source) Deadline() time.Time { return time.Time{} }
func (s *source) Check() error        { return nil }

// sink spawns one peer and is slow: it handles traffic only when it is told to.
type sink struct {
	gate  chan struct{}
	seen  []string
	child chan actor.ID
	dies  int // so often it dies of the first thing that it hears of a peer

	orders int // to end that it has given
}

// order makes the sink order a cell to end, several times.
type order struct{ cell actor.ID }

func (s *sink) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		out.Spawn(peerKind, nil)
	case work:
		if e.n == poison {
			panic("poisoned")
		}
		<-s.gate // a slow component: the test decides when it goes on
		s.seen = append(s.seen, fmt.Sprint(e.n))
	case note:
		if e.text == "ready" && s.dies > 0 {
			s.dies--
			panic("a peer whose very beginning kills")
		}
		s.seen = append(s.seen, e.text)
	case actor.Ended:
		s.seen = append(s.seen, "ended")
	case order:
		for range 3 {
			out.End(e.cell, fmt.Sprint("order ", s.orders), false)
			s.orders++
		}
	case actor.End:
		s.seen = append(s.seen, "an order to end, to a component")
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (s *sink) Deadline() time.Time { return time.Time{} }
func (s *sink) Check() error        { return nil }

func connection() (*cell.Plan, *sink) {
	s := &sink{gate: make(chan struct{}), child: make(chan actor.ID, 1)}
	life, traffic := actor.Ledger[note, note]{ID: 1}, actor.Traffic[work]{ID: 2}
	return &cell.Plan{
		Deaths: cell.Deaths{Max: maxDeaths, Within: time.Minute},
		Cells:  []cell.Static{{ID: left, Name: "sink", Build: func(uint32) actor.Machine { return s }, Stop: 2}},
		Kinds: []cell.Kind{{
			Kind: bus.Kind{ID: peerKind, Name: "peer", Seats: 4 * maxDeaths}, Parent: left, Control: 1, Latest: 1,
			Build: func(id actor.ID, _ any) actor.Machine {
				return &source{id: id, born: s.child, topic: traffic, life: life}
			},
			Credit: cell.Credit{Msgs: 4, Bytes: 1000}, Stop: 1,
		}},
		Topics: []bus.Topic{
			{ID: 1, Name: "life", Kind: actor.LedgerTopic, Subs: []actor.ID{left},
				Closed: func(_ actor.ID, _ any, reason string) any { return note{"gone"} }},
			{ID: 2, Name: "traffic", Kind: actor.TrafficTopic, Subs: []actor.ID{left}},
		},
	}, s
}

// A pump reads while its connection has credit. A slow component makes only the pump
// wait. When the component goes on, so does the pump.
func TestL5BackPressureLeavesThroughTheSocket(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		n := New(&logs{}).Wire(plan)
		n.Start()
		peer := <-s.child
		var read atomic.Int64
		stop := make(chan struct{})
		go func() {
			for i := range 100 {
				if !n.AwaitCredit(peer, stop) {
					return
				}
				n.Deliver(outside, peer, actor.Inbound, work{i}, 10)
				read.Add(1)
			}
		}()
		synctest.Wait()
		if got := read.Load(); got != 4 {
			t.Errorf("the pump has read %d messages on a credit of 4", got)
		}
		s.gate <- struct{}{}
		synctest.Wait()
		if got := read.Load(); got != 5 {
			t.Errorf("one message was handled, the pump has read %d, want 5", got)
		}
		close(stop)
		close(s.gate)
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A remote peer has found a message that kills a component, and sends it from
// one connection after the other. Each connection ends. The component is rebuilt, and
// the node goes on.
func TestL11APeerCannotStopTheNode(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		n := New(&logs{}).Wire(plan)
		n.Start()
		for range 2 * maxDeaths {
			peer := <-s.child // the sink spawns one at each Start
			n.Deliver(outside, peer, actor.Inbound, work{poison}, 10)
			synctest.Wait()
			if n.Deliver(outside, peer, actor.Inbound, work{1}, 10) {
				t.Fatal("the connection is still there")
			}
		}
		if n.Err() != nil {
			t.Errorf("the node was stopped: %v", n.Err())
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// The contents of a connection's Ready come from the remote peer too. A component that dies
// of it is given the same Ready when it is rebuilt, until the peer is gone.
func TestL11APeerCannotStopTheNodeByItsReady(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		s.dies = 2 * maxDeaths
		s.child = make(chan actor.ID, plan.Kinds[0].Seats)
		n := New(&logs{}).Wire(plan)
		n.Start()
		synctest.Wait()
		if n.Err() != nil {
			t.Errorf("the node was stopped: %v", n.Err())
		}
		if deaths := n.System().Lookup(left).Stats().Deaths; deaths != 2*maxDeaths || s.dies > 0 {
			t.Errorf("%d deaths, %d to go", deaths, s.dies)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A connection whose machine cannot be made ends like one that has died. Its seat comes
// free, and the node goes on.
func TestL11AConnectionThatCannotBeBuilt(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		plan.Kinds[0].Build = func(actor.ID, any) actor.Machine { panic("no such machine") }
		seats := plan.Kinds[0].Seats
		n := New(&logs{}).Wire(plan)
		n.Start() // the sink spawns one
		synctest.Wait()
		if n.Err() != nil || !slices.Contains(s.seen, "ended") {
			t.Errorf("halted: %v; the parent has seen %v", n.Err(), s.seen)
		}
		if free := n.System().Lookup(left).Seats(peerKind); free != seats {
			t.Errorf("%d of %d seats are free", free, seats)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A connection's cell that dies is closed for its subscribers in order. No other cell
// dies: a remote peer cannot stop the node this way.
func TestL11AConnectionMayDie(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		n := New(&logs{}).Wire(plan)
		n.Start()
		peer := <-s.child
		n.Deliver(outside, peer, actor.Inbound, work{1}, 10)
		synctest.Wait()
		n.Deliver(outside, peer, actor.Inbound, boom{}, 10)
		synctest.Wait()
		if n.Deliver(outside, peer, actor.Inbound, work{2}, 10) || n.AwaitCredit(peer, nil) {
			t.Error("the dead cell's connection is still served")
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
		if got := strings.Join(s.seen, " "); got != "ready 1 gone ended" {
			t.Errorf("its parent and subscriber saw %q", got)
		}
		if n.Err() != nil {
			t.Error(n.Err())
		}
	})
}

// Ending a connection is an order. Each connection has room for one, so it is
// never refused, however often it is given; the first one counts. An order to a
// connection that is no more is dropped, and so is one to a component.
func TestL4OneOrderToEndIsReserved(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		plan.Cells[0].Control = 3 // what this test delivers
		n := New(&logs{}).Wire(plan)
		n.Start()
		peer := <-s.child
		for _, cell := range []actor.ID{peer, peer, left} {
			n.Deliver(outside, left, actor.Control, order{cell}, 0)
			synctest.Wait()
		}
		if err := n.Stop(time.Second); err != nil || n.Err() != nil {
			t.Error(err, n.Err())
		}
		if got := strings.Join(s.seen, ", "); got != "ready, ended: order 0, ended" {
			t.Errorf("the component saw %q", got)
		}
	})
}
