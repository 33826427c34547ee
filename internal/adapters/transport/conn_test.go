package transport

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/proof/bubble"
	"acyclic/peer"
)

// L4: what can never be written is not kept, whatever ended the writing, and nothing is
// added to it. A connection that drains keeps what it had.
func TestL4WhatCannotBeWrittenIsNotKept(t *testing.T) {
	for _, c := range []struct {
		why  string
		ends func(*conn)
		want int // messages kept, of one from before and one from after
	}{
		{"nothing has happened", func(*conn) {}, 2},
		{"broken", (*conn).breakOff, 0},
		{"closed", func(c *conn) { c.end(false) }, 0},
		{"drains", func(c *conn) { c.end(true) }, 1},
		{"drains, and is cut off", func(c *conn) { c.end(true); c.end(false) }, 0},
		{"asked to drain, and broken", func(c *conn) { c.breakOff(); c.end(true) }, 0},
		{"asked to drain twice", func(c *conn) { c.end(true); c.end(true) }, 1},
	} {
		bubble.Run(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			defer ours.Close()
			k := newConn(New(Config{Bounds: DefaultBounds(1)}, adapterID, nil), ours)
			k.phase = open
			k.write(peer.Write{Command: "before"})
			c.ends(k)
			k.write(peer.Write{Command: "after"})
			if len(k.queue) != c.want {
				t.Errorf("%s: %d messages are kept, want %d", c.why, len(k.queue), c.want)
			}
			if c.want == 0 && k.phase == draining {
				t.Errorf("%s: it drains, and has nothing to write", c.why)
			}
			if c.want == 0 && k.queue != nil {
				t.Errorf("%s: the queue's memory is kept", c.why)
			}
			if n := k.e.draining.Load(); (n == 1) != (k.phase == draining) {
				t.Errorf("%s: %d connections count as draining", c.why, n)
			}
		})
	}
}

// L9: the owner acts at the moment at which the reaper does. Whoever is first counts.
func TestL9AReaperThatComesTooLateDoesNothing(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		defer ours.Close()
		k := newConn(New(Config{Bounds: DefaultBounds(1)}, adapterID, nil), ours)
		k.arm()
		k.mu.Lock()
		time.Sleep(k.e.cfg.ClaimTimeout) // the reaper is there, and waits for the mutex
		k.phase = open
		k.mu.Unlock()
		synctest.Wait()
		if got := k.in(); got != open {
			t.Errorf("phase %d, want %d", got, open)
		}
	})
}

// L9: the time to act counts from the last thing that gave some, and who acts in time
// is not ended.
func TestL9TheReaperEndsWhoDoesNotAct(t *testing.T) {
	limit := DefaultBounds(1).ClaimTimeout
	for _, c := range []struct {
		why  string
		acts func(*conn)
		want phase // after what has been the limit for the first
	}{
		{"does nothing", func(*conn) {}, closed},
		{"is given time again", (*conn).arm, open},
		{"drains", func(c *conn) { c.end(true) }, draining},
	} {
		bubble.Run(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			defer ours.Close()
			k := newConn(New(Config{Bounds: DefaultBounds(1)}, adapterID, nil), ours)
			k.phase = open
			k.arm()
			time.Sleep(limit / 2)
			c.acts(k)
			time.Sleep(limit/2 + time.Second)
			if got := k.in(); got != c.want {
				t.Errorf("%s: phase %d, want %d", c.why, got, c.want)
			}
			time.Sleep(limit)
			if got := k.in(); c.want == open && got != closed {
				t.Errorf("%s, and then nothing: phase %d, want %d", c.why, got, closed)
			}
		})
	}
}
