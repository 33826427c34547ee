package sim_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/peer"
	"acyclic/server"
)

// Two strangers misbehave and come again. Bans last four minutes, and in every other world a
// server has room for one. A host that is banned must not be let in, and one whose ban is over
// must not be called banned.
var bans = scenario{
	name: "TestBansEnd", seeds: 6, net: smoothNet, size: 4,
	bounds: bounds{rough: 3 * time.Minute, agree: 30 * time.Minute, news: 15 * time.Minute},
	build: func(c *town) {
		w := &warden{town: c, most: 2 - int(c.seed%2), lasts: 4 * time.Minute}
		c.around = w.watch
		settlers(c, 2, quick, func(i int, has *belongings) {
			has.config = func(s *node.Settings) {
				s.Server.BanDuration, s.Server.MaxBans = w.lasts, w.most
				s.Server.AddPeers = []string{c.addrs[1-i].String()} // who is named is not banned
			}
		})
		honest := chainOf(60, 1)
		c.invite(gibberer, honest)
		c.invite(gibberer, honest)
		c.wishes = append(c.wishes, wish{"a host was banned, refused and let in again", time.Hour, func() bool {
			return w.refused > 0 && w.again > 0
		}})
	},
}

func TestBansEnd(t *testing.T) { try(t, &bans) }

// warden knows which hosts the servers of a town must have banned.
type warden struct {
	town    *town
	most    int
	lasts   time.Duration
	refused int // connections, for a ban
	again   int // connections that were let in after a ban
}

// watch puts a server under the warden's eyes.
func (w *warden) watch(_ *resident, id actor.ID, m actor.Machine) actor.Machine {
	if id != node.Server {
		return m
	}
	return &watched{Machine: m, warden: w, ready: map[actor.ID]peer.Ready{}, over: map[netip.Addr]bool{}}
}

// watched is a server whose bans are known.
type watched struct {
	actor.Machine
	*warden
	ready map[actor.ID]peer.Ready
	list  []ban // the oldest first
	over  map[netip.Addr]bool
}

type ban struct {
	host  netip.Addr
	until time.Time
}

func (s *watched) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	s.Machine.Step(now, in, out)
	s.list = slices.DeleteFunc(s.list, func(b ban) bool {
		s.over[b.host] = s.over[b.host] || !b.until.After(now)
		return !b.until.After(now)
	})
	switch b := in.Body.(type) {
	case peer.Ready:
		s.ready[b.Peer] = b
	case peer.Gone:
		if b.Fault && !s.ready[b.Peer].Manual {
			s.ban(now, b.Remote.Addr())
		}
	case server.Admit:
		for _, e := range out.Effects() {
			if a, ok := e.Body.(server.Admitted); ok {
				s.admitted(b.Remote.Addr(), a)
			}
		}
	}
}

// ban notes a ban. A host that is banned already is banned for longer, and the oldest ban
// makes room.
func (s *watched) ban(now time.Time, host netip.Addr) {
	s.list = slices.DeleteFunc(s.list, func(b ban) bool { return b.host == host })
	if len(s.list) == s.most {
		s.over[s.list[0].host] = true
		s.list = s.list[1:]
	}
	s.list = append(s.list, ban{host, now.Add(s.lasts)})
}

// admitted compares what the listener was told with the bans.
func (s *watched) admitted(host netip.Addr, a server.Admitted) {
	banned := slices.ContainsFunc(s.list, func(b ban) bool { return b.host == host })
	said := a.Reason == "its address is banned"
	switch {
	case banned != said:
		s.town.accuse(fmt.Errorf("%v is banned: %v, and its connection is answered %+v", host, banned, a))
	case banned:
		s.refused++
	case a.Peer != 0 && s.over[host]:
		s.again++
	}
}
