package server

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestStatusIsPublishedAtMostOncePerSecond(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers = 200
	b := newBench(t, cfg)
	steptest.Want[Status](b.Rig, "the first status")
	for i := range 100 {
		b.arrive(fmt.Sprintf("127.0.0.1:%d", 1000+i))
	}
	for _, e := range b.Pending() {
		if e.Kind == actor.Publish {
			t.Fatal("a hundred connections in one moment are no hundred events")
		}
	}
	b.Advance(time.Second)
	if s := steptest.Want[Status](b.Rig, "the sum of it a second later"); s.Inbound != 100 {
		t.Fatalf("published %+v", s)
	}
	b.Advance(time.Hour)
	b.WantNothing("nothing has changed")
}
