package server

import (
	"net/netip"
	"time"

	"acyclic/internal/kernel/actor"
)

// alone tells the user that the node has no peers, once until a peer is found.
type alone struct{ told bool }

// say names what is missing and what can be done, unless there are ready peers.
// wait is how long it takes until the next try, zero if the node tries all the
// time.
func (a *alone) say(ready int, why string, wait time.Duration, out *actor.Outbox) {
	if ready > 0 {
		return
	}
	level := actor.Warn
	if a.told {
		level = actor.Debug
	}
	a.told = true
	again := "still trying"
	if wait > 0 {
		again = "trying again in " + wait.Round(time.Second).String()
	}
	out.Log(level, "no peers: "+why+"; check the network, or name a peer with --connect or --addpeer; "+again)
}

// over tells the user that a peer has been found.
func (a *alone) over(addr netip.AddrPort, out *actor.Outbox) {
	if a.told {
		a.told = false
		out.Log(actor.Info, "found a peer", "addr", addr)
	}
}
