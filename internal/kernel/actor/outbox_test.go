package actor

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// table is a host with one slot and one seat, which it gives as long as they last.
type table struct {
	slots, seats int
	asked        []any // what Reserve was asked for
}

func (h *table) Reserve(port int, to ID, key uint64, deadline time.Time, none any) (RawCall, bool) {
	if h.slots == 0 {
		return RawCall{}, false
	}
	h.slots--
	h.asked = []any{port, to, key, deadline, none}
	return RawCall{Asker: 1, To: to, Slot: 5, Seq: 17}, true
}
func (h *table) Free(port int) int { return 10*port + h.slots }
func (h *table) Seat(kind Kind) (ID, bool) {
	if h.seats == 0 {
		return 0, false
	}
	h.seats--
	return Child(1, 2), true
}
func (h *table) Seats(kind Kind) int { return 10*int(kind) + h.seats }

// What a machine wants done is recorded in order, with all that the driver needs.
func TestEffects(t *testing.T) {
	call := RawCall{Asker: 1, To: 2, Seq: 3}
	why := errors.New("the disk is full")
	for name, c := range map[string]struct {
		do   func(*Outbox)
		want Effect
	}{
		"answer":  {func(o *Outbox) { Call[int]{call}.Answer(o, 7) }, Effect{Kind: Answer, Call: call, Body: 7}},
		"refuse":  {func(o *Outbox) { Call[int]{call}.Refuse(o) }, Effect{Kind: Answer, Call: call, Body: 0, Err: ErrBusy}},
		"set":     {func(o *Outbox) { State[int]{4}.Set(o, 5, 6) }, Effect{Kind: Publish, Topic: 4, Key: 5, Body: 6}},
		"delete":  {func(o *Outbox) { State[int]{4}.Delete(o, 5, 6) }, Effect{Kind: Publish, Topic: 4, Key: 5, Body: 6, Last: true}},
		"stream":  {func(o *Outbox) { Stream[int]{4}.Publish(o, 6) }, Effect{Kind: Publish, Topic: 4, Body: 6}},
		"open":    {func(o *Outbox) { Ledger[int, string]{4}.Open(o, 6) }, Effect{Kind: Publish, Topic: 4, Body: 6}},
		"close":   {func(o *Outbox) { Ledger[int, string]{4}.Close(o, "end") }, Effect{Kind: Publish, Topic: 4, Body: "end", Last: true}},
		"traffic": {func(o *Outbox) { Traffic[int]{4}.Publish(o, 6) }, Effect{Kind: Publish, Topic: 4, Body: 6}},
		"tell":    {func(o *Outbox) { o.Tell(9, "write") }, Effect{Kind: Tell, To: 9, Body: "write"}},
		"end":     {func(o *Outbox) { o.End(9, "why", true) }, Effect{Kind: EndCell, To: 9, Body: End{"why", true}}},
		"finish":  {func(o *Outbox) { o.Finish("why") }, Effect{Kind: Finish, Body: "why"}},
		"halt":    {func(o *Outbox) { o.Halt(why) }, Effect{Kind: Halt, Err: why}},
		"log": {func(o *Outbox) { o.Log(Warn, "slow", "peer", 3) },
			Effect{Kind: Log, Body: Record{Warn, "slow", []any{"peer", 3}}}},
	} {
		o := NewOutbox(&table{})
		o.Finish("first")
		c.do(o)
		if got := o.Effects(); len(got) != 2 || got[0].Body != "first" || !reflect.DeepEqual(got[1], c.want) {
			t.Errorf("%s: %+v, want %+v second", name, got, c.want)
		}
	}
}

// A step begins with no effects, and the last step's can be freed.
func TestAStepBeginsWithNoEffects(t *testing.T) {
	o := NewOutbox(&table{})
	o.Tell(9, "write")
	last := o.Effects()
	o.Begin(time.Time{})
	if len(o.Effects()) != 0 || last[0] != (Effect{}) {
		t.Errorf("a step begins with %+v, and what was is %+v", o.Effects(), last)
	}
}

// A question takes its slot and has its deadline when it is asked. Without a slot nothing
// is asked.
func TestAsking(t *testing.T) {
	now := time.Unix(100, 0)
	var ports Ports
	Connect[name](&ports, "first", Ref[here](3), 1, time.Minute)
	one := Connect[count](&ports, "one", Ref[here](2), 4, time.Second)
	of := ConnectOf[count](&ports, "of", 5, time.Hour)
	if want := []PortSpec{{"first", "actor.name", 3, 1, time.Minute}, {"one", "actor.count", 2, 4, time.Second}, {"of", "actor.count", 0, 5, time.Hour}}; !reflect.DeepEqual(ports.Specs, want) {
		t.Errorf("the ports are %+v, want %+v", ports.Specs, want)
	}
	for what, c := range map[string]struct {
		ask   func(*Outbox) (Ticket, bool)
		to    ID
		asked []any
	}{
		"one target": {func(o *Outbox) (Ticket, bool) { return one.Ask(o, 8, count{}) }, 2, []any{1, ID(2), uint64(8), now.Add(time.Second), 0}},
		"a target":   {func(o *Outbox) (Ticket, bool) { return of.Ask(o, 7, 8, count{}) }, 7, []any{2, ID(7), uint64(8), now.Add(time.Hour), 0}},
	} {
		host := &table{slots: 1}
		o := NewOutbox(host)
		o.Begin(now)
		if ticket, ok := c.ask(o); ticket != 17 || !ok || !reflect.DeepEqual(host.asked, c.asked) {
			t.Errorf("%s: ticket %d, %v, for %v; want %v", what, ticket, ok, host.asked, c.asked)
		}
		call := RawCall{Asker: 1, To: c.to, Slot: 5, Seq: 17}
		if ticket, ok := c.ask(o); ticket != 0 || ok {
			t.Errorf("%s: no slot is left, and it has ticket %d, %v", what, ticket, ok)
		}
		if got, want := o.Effects(), []Effect{{Kind: Ask, To: c.to, Call: call, Body: count{}}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	o := NewOutbox(&table{slots: 3})
	if one.Free(o) != 13 || of.Free(o) != 23 {
		t.Errorf("%d and %d slots are free", one.Free(o), of.Free(o))
	}
}

// A cell is spawned as long as there is a seat.
func TestSpawning(t *testing.T) {
	o := NewOutbox(&table{seats: 1})
	if n := o.Seats(4); n != 41 {
		t.Errorf("%d seats are free", n)
	}
	if id, ok := o.Spawn(4, "arg"); id != Child(1, 2) || !ok {
		t.Errorf("it is %v, %v", id, ok)
	}
	if id, ok := o.Spawn(4, "arg"); id != 0 || ok {
		t.Errorf("no seat is left, and it is %v, %v", id, ok)
	}
	if got, want := o.Effects(), []Effect{{Kind: Spawn, To: Child(1, 2), Key: 4, Body: "arg"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// An ID says who spawned the cell. No spawned cell has the ID of a static one.
func TestIDs(t *testing.T) {
	for id, want := range map[ID]struct {
		parent ID
		text   string
	}{7: {0, "7"}, Child(7, 12): {7, "7.12"}, Child(7, 1<<32-1): {7, "7.4294967295"}} {
		if id.Parent() != want.parent || id.String() != want.text {
			t.Errorf("%d: child of %v, %q, want %+v", uint64(id), id.Parent(), id, want)
		}
	}
}

// The zero call is no call. Any other one is.
func TestNoCall(t *testing.T) {
	if !(Call[int]{}).IsZero() || (Call[int]{RawCall{Seq: 1}}).IsZero() {
		t.Error("only the zero call is no call")
	}
}
