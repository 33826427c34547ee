package track

import (
	"testing"
)

// Of one transaction the higher rank comes first, and of equal ranks the peer that came
// first. Nothing comes before itself.
func TestWhichAnnouncementIsBetter(t *testing.T) {
	of := func(peer *announcer, rank, sequence uint64) *announcement {
		return &announcement{from: peer, rank: rank, sequence: sequence}
	}
	first, second := &announcer{id: alice}, &announcer{id: bob}
	for _, c := range []struct {
		why  string
		a, b *announcement
		want bool
	}{
		{"a higher rank", of(second, 7, 9), of(first, 6, 1), true},
		{"a lower rank", of(first, 6, 1), of(second, 7, 9), false},
		{"the same rank, and it came first", of(first, 7, 9), of(second, 7, 1), true},
		{"the same rank, and it came later", of(second, 7, 1), of(first, 7, 9), false},
		{"itself", of(first, 7, 1), of(first, 7, 1), false},
	} {
		if got := c.a.better(c.b); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

// Whatever is taken out of the middle, the others stay in order.
func TestAQueueStaysInOrder(t *testing.T) {
	for seed := range uint64(100) {
		rng := dice(seed)
		var q queue
		var all []*announcement
		for range 30 {
			a := &announcement{sequence: rng.Uint64()}
			q.push(a, bySequence)
			all = append(all, a)
		}
		for n, i := range rng.Perm(len(all)) {
			q.remove(all[i], bySequence)
			if err := q.check(bySequence); err != nil || len(q) != len(all)-n-1 {
				t.Fatalf("seed %d: %d are left, %v", seed, len(q), err)
			}
		}
	}
}

// A list with room for more than 64 that is less than a quarter full gets half of its room.
func TestL4WhenAListGivesMemoryBack(t *testing.T) {
	for _, c := range []struct{ room, members, want int }{
		{64, 2, 64}, // it is small
		{65, 18, 65},
		{65, 17, 65},
		{65, 16, 32},
		{400, 101, 400},
		{400, 100, 200},
	} {
		list := make([]*announcement, c.members, c.room)
		for i := range list {
			list[i] = &announcement{sequence: uint64(i)}
		}
		got := shorter(list)
		if len(got) != c.members-1 || cap(got) != c.want || list[c.members-1] != nil {
			t.Errorf("%d of %d: %d of %d are left, want room for %d", c.members, c.room, len(got), cap(got), c.want)
		}
		for i, a := range got {
			if a.sequence != uint64(i) {
				t.Fatalf("%d is in place %d", a.sequence, i)
			}
		}
	}
}
