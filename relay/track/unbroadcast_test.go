package track

import (
	"slices"
	"testing"
	"time"

	"acyclic/chain"
)

// What was sent by RPC is announced again and again until a peer asks for it, or it has
// left the pool.
func TestUnbroadcastStory(t *testing.T) {
	b, rng := DefaultBounds(), dice(1)
	u := NewUnbroadcast(b)
	for n := range 3 {
		u.Add(start, rng, witness(n))
	}
	now := start
	for round, want := range [][]chain.TxID{
		{witness(0), witness(1), witness(2)}, // the order in which they were sent
		{witness(0), witness(2)},
		{witness(2)},
	} {
		at := u.Deadline()
		if wait := at.Sub(now); wait < b.ReannounceAfter || wait > b.ReannounceAfter+b.ReannounceSpread {
			t.Errorf("round %d comes after %v", round, wait)
		}
		if early := u.Advance(at.Add(-1), rng); early != nil {
			t.Errorf("round %d comes early: %v", round, early)
		}
		if got := u.Advance(at, rng); !slices.Equal(got, want) {
			t.Errorf("round %d announces %v, want %v", round, got, want)
		}
		now = at
		switch round {
		case 0:
			u.Asked(byTxID(1)) // a peer without wtxids has asked for it
		case 1:
			u.Remove(witness(0)) // a block has it
		}
		if err := u.Check(); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(u.list, []chain.TxID{witness(2)}) {
		t.Errorf("the third one alone was not asked for, and left are %v", u.list)
	}
	u.Asked(byWTxID(2 + 1<<16))
	if u.Len() != 0 || !u.Deadline().IsZero() || u.Advance(now.Add(time.Hour), rng) != nil {
		t.Error("nothing is left to be announced")
	}
	u.Add(now, rng, witness(5)) // the time counts from now, not from long ago
	if wait := u.Deadline().Sub(now); wait < b.ReannounceAfter {
		t.Errorf("a new one is announced again after %v", wait)
	}
}

// The time until they are announced again has a part that is chance. Without that part it
// is ReannounceAfter.
func TestL10WhenTheyAreAnnouncedAgain(t *testing.T) {
	b := DefaultBounds()
	early, late := 0, 0
	for seed := range uint64(100) {
		switch more := NewUnbroadcast(b).next(start, dice(seed)).Sub(start.Add(b.ReannounceAfter)); {
		case more < 0 || more > b.ReannounceSpread:
			t.Fatalf("%v more than the least", more)
		case more < b.ReannounceSpread/2:
			early++
		default:
			late++
		}
	}
	if early < 20 || late < 20 { // six standard deviations
		t.Errorf("%d come in the first half, %d in the second", early, late)
	}
	b.ReannounceSpread = 0
	if at := NewUnbroadcast(b).next(start, dice(1)); !at.Equal(start.Add(b.ReannounceAfter)) {
		t.Errorf("without chance they come at %v", at)
	}
}

func TestL4UnbroadcastIsBounded(t *testing.T) {
	b := DefaultBounds()
	u := NewUnbroadcast(b)
	for n := range 2 * b.MaxUnbroadcast {
		if took := u.Add(start, dice(1), txID(n)); took != (n < b.MaxUnbroadcast) {
			t.Fatalf("number %d is kept: %v", n, took)
		}
	}
	if !u.Add(start, dice(1), txID(0)) || u.Len() != b.MaxUnbroadcast {
		t.Error("one that is there cannot be added again")
	}
}

func TestUnbroadcastCheckFindsDamage(t *testing.T) {
	for name, damage := range map[string]func(u *Unbroadcast){
		"too many":      func(u *Unbroadcast) { u.cfg.MaxUnbroadcast = 0 },
		"a time lost":   func(u *Unbroadcast) { u.due = time.Time{} },
		"twice in list": func(u *Unbroadcast) { u.list = append(u.list, u.list[0]) },
	} {
		u := NewUnbroadcast(DefaultBounds())
		u.Add(start, dice(1), txID(1))
		if err := u.Check(); err != nil {
			t.Fatal(err)
		}
		if damage(u); u.Check() == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
