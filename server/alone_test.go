package server

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// said is what a tracker logs, each record as one text with its level.
func said(do func(out *actor.Outbox)) (records []string) {
	out := actor.NewOutbox(nil)
	do(out)
	for _, e := range out.Effects() {
		if r, is := e.Body.(actor.Record); is {
			records = append(records, fmt.Sprint(r.Level, " ", r.Msg, r.Fields))
		}
	}
	return records
}

// A node without peers says so once, and again when it has had a peer meanwhile.
func TestANodeWithoutPeersSaysSoOnceInARow(t *testing.T) {
	a := &alone{}
	say := func(ready int, wait time.Duration) []string {
		return said(func(out *actor.Outbox) { a.say(ready, "nothing works", wait, out) })
	}
	over := func(addr string) []string { return said(func(out *actor.Outbox) { a.over(at(addr), out) }) }
	const text = " no peers: nothing works; check the network, or name a peer with --connect or --addpeer; "
	warn, debug := fmt.Sprint(actor.Warn), fmt.Sprint(actor.Debug)
	for _, c := range []struct {
		got, want []string
		why       string
	}{
		{say(1, 0), nil, "a node with a peer is not without peers"},
		{over("1.1.1.1:1"), nil, "the first peer of a node that has not complained is no news"},
		{say(0, 0), []string{warn + text + "still trying[]"}, "the user hears of it"},
		{say(0, 30*time.Second), []string{debug + text + "trying again in 30s[]"}, "the second time it is for debugging"},
		{over("1.1.1.1:1"), []string{fmt.Sprint(actor.Info) + " found a peer[addr 1.1.1.1:1]"}, "that it is over is news"},
		{over("2.2.2.2:1"), nil, "the second peer is no news"},
		{say(0, 0), []string{warn + text + "still trying[]"}, "it is alone again"},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: said %q, want %q", c.why, c.got, c.want)
		}
	}
}

// Sixteen addresses in a row that cannot be reached are worth a word, fifteen are not:
// most addresses of a book are dead.
func TestSixteenFailuresInARowAreSaid(t *testing.T) {
	b := newBench(t, seeking())
	failures := func(from, n int) {
		for i := range n {
			addr := fmt.Sprintf("%d.1.1.1:18333", from+i)
			b.pick(500, addr)
			b.Reply(b.wantDial(addr, "a candidate"), Dialed{Err: "refused"})
			b.Advance(dialIntervalMax)
		}
	}
	const text = "none of the last 16 addresses that were dialled could be reached"
	failures(20, manyFails-1)
	if n := b.logged(actor.Warn, text); n != 0 {
		t.Fatal("it is said after fifteen")
	}
	if n := b.logged(actor.Debug, "dialling failed"); n != manyFails-1 {
		t.Fatalf("%d of fifteen failures can be seen when debugging", n)
	}
	failures(40, 2)
	if n := b.logged(actor.Warn, text); n != 1 {
		t.Fatalf("it is said %d times", n)
	}
	if n := b.logged(actor.Debug, text); n != 0 {
		t.Fatal("it is said once in a row")
	}
	b.ready(b.arrive("9.9.9.9:1"), "9.9.9.9:1")
	if n := b.logged(actor.Info, "found a peer"); n != 1 {
		t.Error("that it is over is news")
	}
}

// A peer that hangs up in the handshake is as bad as an address that nobody answers
// at. One that has shaken hands, or that did not come from the book, is not.
func TestWhatCountsAsAFailure(t *testing.T) {
	for _, c := range []struct {
		why    string
		meet   func(b *bench)
		failed int
	}{
		{"an automatic peer that hangs up in the handshake", func(b *bench) {
			b.pick(500, "1.1.1.1:18333")
			b.end(b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333"))
		}, 4},
		{"an automatic peer that ends later", func(b *bench) {
			b.pick(500, "1.1.1.1:18333")
			id := b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333")
			b.ready(id, "1.1.1.1:18333")
			b.end(id)
		}, 0},
		{"an automatic peer that is there", func(b *bench) {
			b.pick(500, "1.1.1.1:18333")
			b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333")
		}, 3},
		{"a named peer that hangs up in the handshake", func(b *bench) {
			b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a name")
			b.end(b.connect(b.wantDial("10.0.0.1:18333", "it is dialled"), "10.0.0.1:18333"))
		}, 3},
		{"a named peer that is good", func(b *bench) {
			b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a name")
			b.ready(b.connect(b.wantDial("10.0.0.1:18333", "it is dialled"), "10.0.0.1:18333"), "10.0.0.1:18333")
		}, 3},
		{"a named peer that was removed meanwhile", func(b *bench) {
			b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a name")
			ask := b.wantDial("10.0.0.1:18333", "it is dialled")
			b.done(AddNode{Command: "remove", Addr: "10.0.0.1"}, "", "it is removed")
			b.Reply(ask, Dialed{Err: "refused"})
		}, 3},
		{"an inbound peer that hangs up in the handshake", func(b *bench) { b.end(b.arrive("8.8.8.8:1")) }, 3},
	} {
		b := newBench(t, seeking())
		b.m.outbound.fails = 3
		if c.meet(b); b.m.outbound.fails != c.failed {
			t.Errorf("%s: %d failures in a row, want %d", c.why, b.m.outbound.fails, c.failed)
		}
	}
}
