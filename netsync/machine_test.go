package netsync

import (
	"testing"

	"acyclic/internal/kernel/actor"
)

func TestStopFinishes(t *testing.T) {
	s, _ := synced(t, 20, nil, 1)
	s.Rig.Give(actor.Stop{})
	s.WantFinish("stopped at once")
	s.Rig.Give(actor.Tick{})
	s.WantNothing("and for good")
	if !s.m.Deadline().IsZero() {
		t.Fatal("nothing to wait for")
	}
}
