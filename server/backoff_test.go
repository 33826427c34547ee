package server

import (
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// TestL9WhatFailedIsAskedAgainAfterAWhile: each question of the server, however it
// failed, is asked again by the clock and not before. A favour is not asked again.
// Up to a quarter of a back-off is taken off by chance.
func TestL9WhatFailedIsAskedAgainAfterAWhile(t *testing.T) {
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		for name, story := range map[string]func(t *testing.T, err error){
			"the dial of a named peer":      namedDialFails,
			"the dial of an automatic peer": automaticDialFails,
			"the lookup of a named peer":    nameFails,
			"the lookup of a seed":          seedFails,
			"the book":                      pickFails,
			"a note":                        noteFails,
			"a sample of the book":          sampleFails,
			"what a peer is sent":           sendFails,
		} {
			t.Run(name+", "+err.Error(), func(t *testing.T) { story(t, err) })
		}
	}
}

func namedDialFails(t *testing.T, err error) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	steptest.WantRetry[Dial](b.Rig, err, namedRetry*3/4, namedRetry, "the first time")
	steptest.WantRetry[Dial](b.Rig, err, 2*namedRetry*3/4, 2*namedRetry, "twice as long the second time")
}

// The candidates are others each time, so only the dials are spaced.
func automaticDialFails(t *testing.T, err error) {
	b := newBench(t, seeking())
	b.pick(500, "1.1.1.1:18333", "2.2.2.2:18333")
	steptest.WantRetry[Dial](b.Rig, err, dialInterval, dialInterval, "another candidate is dialled")
}

func nameFails(t *testing.T, err error) {
	cfg := quiet()
	cfg.AddPeers = []string{"node.example"}
	b := newBench(t, cfg)
	steptest.WantRetry[Resolve](b.Rig, err, namedRetry*3/4, namedRetry, "the first time")
	steptest.WantRetry[Resolve](b.Rig, err, 2*namedRetry*3/4, 2*namedRetry, "twice as long the second time")
}

func seedFails(t *testing.T, err error) {
	b := newBench(t, seeded("a.example"))
	b.pick(0)
	steptest.WantRetry[Resolve](b.Rig, err, seedRetry*3/4, seedRetry, "the first round")
	steptest.WantRetry[Resolve](b.Rig, err, 2*seedRetry*3/4, 2*seedRetry, "twice as long the second time")
}

func pickFails(t *testing.T, err error) {
	b := newBench(t, seeking())
	steptest.WantRetry[Pick](b.Rig, err, pickRetry*3/4, pickRetry, "the first time")
	steptest.WantRetry[Pick](b.Rig, err, 2*pickRetry*3/4, 2*pickRetry, "twice as long the second time")
}

// What was in the note is lost: peers will tell it again.
func noteFails(t *testing.T, err error) {
	b := newBench(t, quiet())
	b.m.gossip.learn(netAddrs(b.Now, "1.2.3.4:5"), at("8.8.8.8:1"))
	b.Give(actor.Tick{})
	steptest.WantRetry[Note](b.Rig, err, 0, 0, "addresses for the book")
	b.m.gossip.learn(netAddrs(b.Now, "1.2.3.4:5"), at("8.8.8.8:1"))
	b.Give(actor.Tick{})
	steptest.WantAsk[Note](b.Rig, "the next addresses")
}

func sampleFails(t *testing.T, err error) {
	b := newBench(t, seeking())
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.Give(peer.AddrsWanted{Peer: id})
	steptest.WantRetry[Sample](b.Rig, err, 0, 0, "a favour")
}

func sendFails(t *testing.T, err error) {
	b := newBench(t, seeking())
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.Give(peer.AddrsWanted{Peer: id})
	_, ask := steptest.WantAsk[Sample](b.Rig, "a getaddr is answered from the book")
	b.Reply(ask, Sampled{Addrs: netAddrs(b.Now, "1.1.1.1:2")})
	steptest.WantRetry[peer.Send](b.Rig, err, 0, 0, "a favour")
}
