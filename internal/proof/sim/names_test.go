package sim_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
	"acyclic/server"
)

// defaultPort is the port of all nodes of the town, and of names without a port.
const defaultPort = 18555

// Peers have names that at first lead to where they do not live, or to nothing. Name servers
// fail and hang. Operators add and remove peers meanwhile. One node of every other world
// knows none but the one that it was told to connect to.
var names = scenario{
	name: "TestNamedPeers", seeds: 12, net: smoothNet, size: 4,
	bounds: bounds{rough: 8 * time.Minute, agree: 30 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.peers = 24 // a seat is kept for each peer that is named, and the others need some
		hosts, former := map[string][]netip.Addr{}, map[string][]netip.Addr{}
		for i, a := range c.addrs {
			hosts[alias(i)] = []netip.Addr{dead(i), a.Addr()}
			hosts[neighbour(i)] = hosts[alias(i)]
			if i%2 == 0 {
				former[alias(i)], former[neighbour(i)] = []netip.Addr{dead(i + 1)}, []netip.Addr{dead(i + 2)}
			}
		}
		settlers(c, 4, quick, func(i int, has *belongings) {
			has.names = fake.ResolverConfig{
				Hosts: hosts, Former: former, Moved: c.Now.Add(4 * time.Minute),
				MaxTime: 5 * time.Second, FailChance: 200, HangChance: 100, HangFor: 40 * time.Second,
			}
			has.lonely, has.orders = true, true
			has.config = func(s *node.Settings) {
				s.Server.NoDNSSeed, s.Server.MaxAdded = true, 4
				s.Server.AddPeers = []string{neighbour((i+1)%4) + ":18555", "elsewhere.town", "no such: name"}
				if i == 3 && c.seed%2 == 1 {
					s.Server.ConnectOnly = s.Server.AddPeers[:1]
				}
			}
		})
	},
}

func TestNamedPeers(t *testing.T) { try(t, &names) }

// No node knows any address. Four DNS seeds are all they have. One seed leads to two nodes,
// one to two others, one to dead hosts only, and one does not exist. Lookups fail and hang.
// One node of every other world asks no seed: the others must find it.
var dnsSeeds = scenario{
	name: "TestDNSSeeds", seeds: 12, net: smoothNet, size: 4,
	bounds: bounds{rough: 3 * time.Minute, agree: 30 * time.Minute, news: time.Minute},
	build: func(c *town) {
		hosts := map[string][]netip.Addr{
			"first.seed":  {dead(0), c.addrs[0].Addr(), c.addrs[1].Addr()},
			"second.seed": {c.addrs[2].Addr(), dead(1), c.addrs[3].Addr()},
		}
		for i := range 20 {
			hosts["third.seed"] = append(hosts["third.seed"], dead(i))
		}
		settlers(c, 4, quick, func(i int, has *belongings) {
			has.names = fake.ResolverConfig{Hosts: hosts, MaxTime: 5 * time.Second, FailChance: 300, HangChance: 200, HangFor: 40 * time.Second}
			has.lonely = true
			has.config = func(s *node.Settings) {
				s.Server.AddPeers = nil
				s.Server.DNSSeeds = []string{"first.seed", "second.seed", "third.seed", "fourth.seed"}
				s.Server.NoDNSSeed = i == 3 && c.seed%2 == 1
			}
		})
	},
}

func TestDNSSeeds(t *testing.T) { try(t, &dnsSeeds) }

// neighbour is the name that the configuration has for the town's node i. The operators
// call it by another.
func neighbour(i int) string { return fmt.Sprintf("neighbour%d.town", i) }

// dead is an address at which nobody listens. Each is of another network group.
func dead(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("9.%d.0.1", i+1)) }

// lookupFailed says whether a lookup had no result.
func lookupFailed(in actor.Input) bool {
	got, ok := in.Body.(server.Resolved)
	return ok && (in.Err != nil || got.Err != "")
}
