package actor_test

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

func TestEarliest(t *testing.T) {
	now := time.Unix(1_600_000_000, 0)
	var none time.Time
	past, soon, late := now.Add(-time.Second), now.Add(time.Second), now.Add(time.Hour)
	for _, c := range []struct {
		name       string
		add        []time.Time
		any, after time.Time // what each kind keeps
	}{
		{"nothing", nil, none, none},
		{"zero is no deadline", []time.Time{none, none}, none, none},
		{"one", []time.Time{late}, late, late},
		{"the first of some", []time.Time{late, none, soon, late}, soon, soon},
		{"one that has passed", []time.Time{soon, past}, past, soon},
		{"one that is now", []time.Time{now, late}, now, late},
		{"all have passed", []time.Time{past, now}, past, none},
	} {
		var all actor.Earliest
		after := actor.EarliestAfter(now)
		all.Add(c.add...)
		for _, at := range c.add {
			after.Add(at)
		}
		if all.At() != c.any || after.At() != c.after {
			t.Errorf("%s: %v and %v, want %v and %v", c.name, all.At(), after.At(), c.any, c.after)
		}
	}
}
