package mailbox

import (
	"testing"

	"acyclic/internal/kernel/actor"
)

// A ring holds max envelopes, in order, however often it has gone round and whenever it
// grows.
func TestRing(t *testing.T) {
	for _, most := range []int{1, 7, 8, 9, 20, 64} {
		r := ring{max: most}
		var model []int
		next := 0
		for round := range 200 {
			for range round%most + 1 {
				room := r.push()
				if full := len(model) == most; full != (room == nil) {
					t.Fatalf("max %d: %d are in it, and it has room: %v", most, len(model), room != nil)
				}
				if room != nil {
					next++
					*room = Envelope{In: actor.Input{Body: next}}
					model = append(model, next)
				}
			}
			for i, want := range model {
				if got := r.at(i).In.Body; got != want {
					t.Fatalf("max %d: %v stands at %d, want %d", most, got, i, want)
				}
			}
			for range (round*7)%most + 1 {
				if len(model) > 0 {
					if got := r.first().In.Body; got != model[0] {
						t.Fatalf("max %d: %v is the first, want %d", most, got, model[0])
					}
					r.drop()
					model = model[1:]
				}
			}
			if r.n != len(model) || len(r.buf) > most {
				t.Fatalf("max %d: %d are in it, want %d; it has memory for %d", most, r.n, len(model), len(r.buf))
			}
		}
	}
}

// A ring grows with what is in it: what is never used has no memory.
func TestARingGrowsByNeed(t *testing.T) {
	r := ring{max: 1000}
	for range 9 {
		r.push()
	}
	if len(r.buf) != 16 {
		t.Errorf("nine are in it, and it has memory for %d", len(r.buf))
	}
}

// What has left a ring can be freed.
func TestARingKeepsNothingAlive(t *testing.T) {
	r := ring{max: 8}
	fill := func() {
		for range 8 {
			*r.push() = Envelope{In: actor.Input{Body: "body", Err: actor.ErrGone}}
		}
	}
	empty := func(how string) {
		t.Helper()
		if r.n != 0 || r.head != 0 {
			t.Errorf("%s: %d are in it, from %d", how, r.n, r.head)
		}
		for i := range r.buf {
			if r.buf[i].In.Body != nil || r.buf[i].In.Err != nil {
				t.Errorf("%s: %+v is left", how, r.buf[i])
			}
		}
	}
	fill()
	for range 8 {
		r.drop()
	}
	empty("dropped")
	fill()
	r.reset()
	empty("reset")

	// A ring that has gone round grows: each envelope is in it once.
	r = ring{max: 16}
	fill()
	for range 4 {
		r.drop()
	}
	for range 5 {
		*r.push() = Envelope{In: actor.Input{Body: "body"}}
	}
	for _, e := range r.buf[r.n:] {
		if e.In.Body != nil {
			t.Errorf("grown: %+v is behind the last", e)
		}
	}
}
