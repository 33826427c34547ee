package fake

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/actor"
	"acyclic/internal/book"
	"acyclic/internal/bus"
	"acyclic/internal/cell"
	"acyclic/internal/sim"
	"acyclic/internal/transport"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// The cells and edges of a node in these worlds.
const (
	chainID actor.ID = iota + 1
	netsyncID
	relayID
	serverID
	workerID
	readersID
	netID
	bookID
	minerID
)

var topics = struct {
	peer   peer.Topics
	chain  chain.Topics
	sync   netsync.Topics
	server server.Topics
}{
	peer.Topics{
		Lifecycle: actor.Ledger[peer.Ready, peer.Gone]{ID: 1}, Sync: actor.Traffic[peer.ForSync]{ID: 2},
		Relay: actor.Traffic[peer.ForRelay]{ID: 3}, Server: actor.Traffic[peer.ForServer]{ID: 4},
	},
	chain.Topics{Tips: actor.State[chain.Tips]{ID: 5}, Blocks: actor.Stream[chain.Event]{ID: 6}},
	netsync.Topics{Status: actor.State[netsync.Status]{ID: 7}},
	server.Topics{Status: actor.State[server.Status]{ID: 8}},
}

const maxPeers = 8

// simNode is a node of production machines on fake edges.
type simNode struct {
	*sim.Node
	store *Store
	edge  *Edge
}

// city is a world of nodes.
type city struct {
	*sim.World
	net   *Net
	rng   *rand.Rand
	addrs []netip.AddrPort
	nodes []*simNode
	// deadly: one step in so many of a component panics; zero: none.
	deadly int
}

// mortal is a machine that dies now and then (law L11).
type mortal struct {
	actor.Machine
	rng    *rand.Rand
	deadly int
}

func (m mortal) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if m.deadly > 0 && m.rng.IntN(m.deadly) == 0 {
		panic("a death by intent")
	}
	m.Machine.Step(now, in, out)
}

func newCity(seed uint64, cfg NetConfig, n int) *city {
	w := sim.New(seed)
	w.Check = true
	rng := rand.New(rand.NewPCG(seed, 1))
	cfg.Magic = magic
	c := &city{World: w, rng: rng, net: NewNet(cfg, rng)}
	for i := range n {
		c.addrs = append(c.addrs, netip.MustParseAddrPort(fmt.Sprintf("8.%d.0.1:18444", i+1)))
	}
	c.net.Wake = func(e *Edge) {
		for _, n := range c.nodes {
			if n.edge == e {
				n.Wake(n.Sys.Lookup(netID))
			}
		}
	}
	return c
}

// add starts a node with some blocks of its own and a miner.
func (c *city) add(blocks []*wire.MsgBlock, engine EngineConfig, mine MinerConfig) *simNode {
	store := NewStore(genesis)
	for _, b := range blocks {
		store.applyBlock(c.Now, chain.ApplyBlock{Block: b, Hash: hashOf(b)})
	}
	var ports struct{ chain, sync, relay, server, net, miner actor.Ports }
	edgePorts := EdgePorts{Admit: actor.Connect[server.Admit](&ports.net, "net.admit", serverID, 1, 10*time.Second)}
	n := &simNode{store: store, edge: c.net.Edge(c.addrs[len(c.nodes)], edgePorts)}
	chainPorts := chain.ConnectPorts(&ports.chain, workerID, readersID, chain.Windows{
		Worker: 4, Reads: 40, WorkerTimeout: time.Minute, ReadTimeout: time.Minute})
	relayPorts := relay.ConnectPorts(&ports.relay, chainID, relay.Windows{
		Reads: 8, Peers: maxPeers, ReadTimeout: 2 * time.Minute, SendTimeout: 2 * time.Minute})
	syncPorts := netsync.Ports{
		Headers:    actor.Connect[chain.SubmitHeaders](&ports.sync, "headers", chainID, 4, 10*time.Minute),
		Block:      actor.Connect[chain.SubmitBlock](&ports.sync, "block", chainID, 16, 10*time.Minute),
		Locator:    actor.Connect[chain.GetLocator](&ports.sync, "locator", chainID, 8, time.Minute),
		Path:       actor.Connect[chain.GetPath](&ports.sync, "path", chainID, 2, time.Minute),
		Forks:      actor.Connect[chain.GetForks](&ports.sync, "forks", chainID, 2, time.Minute),
		Send:       actor.Connect[peer.Send](&ports.sync, "send", 0, 2*maxPeers, 2*time.Minute),
		Disconnect: actor.Connect[peer.Disconnect](&ports.sync, "disconnect", 0, maxPeers, time.Minute),
	}
	serverPorts := server.Ports{
		Transport:  netID,
		Dial:       actor.Connect[transport.Dial](&ports.server, "dial", netID, 8, 40*time.Second),
		Pick:       actor.Connect[book.Pick](&ports.server, "pick", bookID, 1, 10*time.Second),
		Sample:     actor.Connect[book.Sample](&ports.server, "sample", bookID, 4, 10*time.Second),
		Note:       actor.Connect[book.Note](&ports.server, "note", bookID, 1, 10*time.Second),
		Resolve:    actor.Connect[book.Resolve](&ports.server, "resolve", bookID, 8, 20*time.Second),
		Disconnect: actor.Connect[peer.Disconnect](&ports.server, "disconnect", 0, maxPeers, 10*time.Second),
		Send:       actor.Connect[peer.Send](&ports.server, "send", 0, maxPeers, time.Minute),
	}
	minePort := actor.Connect[chain.SubmitBlock](&ports.miner, "mine", chainID, 1, 10*time.Minute)
	seeded := func() *rand.Rand { return rand.New(rand.NewPCG(c.rng.Uint64(), 2)) }
	frail := func(m actor.Machine) actor.Machine { return mortal{m, seeded(), c.deadly} }
	peerConfig := peer.Config{
		Magic: magic, Services: wire.SFNodeNetwork | wire.SFNodeWitness, UserAgent: "/sim/",
		NonceKey:  [32]byte{byte(len(c.nodes) + 1)},
		Handshake: time.Minute, PingEvery: 2 * time.Minute, PongWithin: 20 * time.Minute,
		Silence: 5 * time.Minute, Stuck: time.Minute, HeadersWithin: 2 * time.Minute,
		QueueCap: 100_000, QueueMax: 20_000_000, HeldSends: 3, AskedBlocks: 256,
	}
	plan := &cell.Plan{
		Cells: []cell.Static{
			{ID: chainID, Name: "chain", Ports: ports.chain.Specs, Build: func(uint32) actor.Machine {
				return frail(chain.New(chain.Config{Window: 4, Retry: time.Second}, chainPorts, topics.chain))
			}},
			{ID: netsyncID, Name: "netsync", Ports: ports.sync.Specs, Build: func(uint32) actor.Machine {
				return frail(netsync.New(netsync.Defaults(), syncPorts, topics.sync, seeded()))
			}},
			{ID: relayID, Name: "relay", Ports: ports.relay.Specs, Build: func(uint32) actor.Machine {
				return frail(relay.New(relay.Defaults(), relayPorts, seeded()))
			}},
			{ID: serverID, Name: "server", Ports: ports.server.Specs, Build: func(uint32) actor.Machine {
				return frail(server.New(server.Config{
					MaxPeers: maxPeers, OutboundTarget: 3, MaxAdded: 4, DefaultPort: 18444,
					BanDuration: time.Hour, MaxBans: 10, MaxNotes: 100,
				}, serverPorts, topics.server, seeded()))
			}},
			{ID: minerID, Name: "miner", Ports: ports.miner.Specs, Build: func(uint32) actor.Machine {
				return NewMiner(mine, minePort, seeded())
			}},
		},
		Kinds: []cell.Kind{{
			Kind: bus.Kind{ID: server.KindPeer, Name: "peer", Places: 2 * maxPeers}, Questions: 16,
			Credit: cell.Credit{Msgs: 32, Bytes: 1 << 20},
			Build: func(id actor.ID, arg any) actor.Machine {
				return frail(peer.New(id, arg.(peer.Arg), peerConfig, peer.Ports{Edge: netID}, topics.peer, seeded()))
			},
		}},
		Edges: []cell.Edge{
			{ID: workerID, Name: "worker", Build: func() actor.Machine { return NewWorker(engine, store, seeded()) }},
			{ID: readersID, Name: "readers", Build: func() actor.Machine { return NewReaders(engine, store, seeded()) }},
			{ID: netID, Name: "net", Ports: ports.net.Specs, Build: func() actor.Machine { return n.edge }},
			{ID: bookID, Name: "book", Build: func() actor.Machine { return NewBook(c.addrs, seeded()) }},
		},
		Topics: []bus.Topic{
			{ID: 1, Name: "lifecycle", Kind: actor.LedgerTopic, Subs: []actor.ID{netsyncID, relayID, serverID},
				Closed: func(id actor.ID, opened any, reason string) any {
					return peer.Gone{Peer: id, Remote: opened.(peer.Ready).Remote, Reason: reason}
				}},
			{ID: 2, Name: "sync", Kind: actor.TrafficTopic, Subs: []actor.ID{netsyncID}},
			{ID: 3, Name: "relay", Kind: actor.TrafficTopic, Subs: []actor.ID{relayID}},
			{ID: 4, Name: "server", Kind: actor.TrafficTopic, Subs: []actor.ID{serverID}},
			{ID: 5, Name: "tips", Kind: actor.StateTopic, Subs: []actor.ID{netsyncID, relayID, serverID, minerID}},
			{ID: 6, Name: "blocks", Kind: actor.StreamTopic, Subs: []actor.ID{relayID}, Cap: 16},
			{ID: 7, Name: "sync status", Kind: actor.StateTopic},
			{ID: 8, Name: "server status", Kind: actor.StateTopic},
		},
	}
	c.nodes = append(c.nodes, n)
	n.Node = c.World.Add(fmt.Sprintf("node %d", len(c.nodes)), plan)
	return n
}

// agreed says whether all nodes have a best block of the same work, at least at
// a height. It need not be the same block: of two that were found at the same
// time each node keeps the one that it saw first.
func (c *city) agreed(height int32) bool {
	for _, n := range c.nodes {
		if p := n.store.tip().Point; p.Height < height || p.Work != c.nodes[0].store.tip().Work {
			return false
		}
	}
	return true
}

func (c *city) report(t *testing.T) {
	for _, n := range c.nodes {
		t.Logf("%s: height %d, header %d, %d connections, deaths %d %s, halted %v", n.Name,
			n.store.tip().Height, n.store.header.Height, n.edge.Conns(), n.Deaths, n.Death, n.Halted)
		for _, rec := range n.Records[max(0, len(n.Records)-5):] {
			t.Logf("  %v %s: %s %v", rec.At, rec.Cell, rec.Msg, rec.Fields)
		}
	}
}

var roughNet = NetConfig{
	MinLatency: 5 * time.Millisecond, MaxLatency: 200 * time.Millisecond, Jitter: 50 * time.Millisecond,
	Bandwidth: 1 << 20, Buffer: 64 << 10, MeanLife: 10 * time.Minute, StallChance: 5, StallFor: 10 * time.Second,
	LossChance: 50, CutEvery: 5 * time.Minute, CutFor: time.Minute,
}

// Four nodes: one has a chain, another a shorter one of its own, and both mine.
// Over a network that delays, stalls, cuts and resets they all end up with the
// same chain.
func TestNodesAgree(t *testing.T) {
	agree(t, func(*city) {})
}

// The same when one step in a thousand of every component panics.
func TestL11NodesAgreeThoughComponentsDie(t *testing.T) {
	agree(t, func(c *city) { c.deadly = 1000 })
}

// A failing seed is run again with -seed.
var (
	firstSeed = flag.Uint64("seed", 0, "the first seed of the worlds of nodes")
	seeds     = flag.Uint64("seeds", 4, "how many seeds are tried")
)

func agree(t *testing.T, with func(*city)) {
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		c := newCity(seed, roughNet, 4)
		with(c)
		engine := EngineConfig{MaxApply: 20 * time.Millisecond, MaxRead: 50 * time.Millisecond}
		mine := MinerConfig{Every: 20 * time.Second, Count: 10, Bits: bits, Size: 5000}
		c.add(grow(&genesis.Header, 200, 1), engine, mine)
		c.add(grow(&genesis.Header, 60, 2), engine, mine)
		c.add(nil, engine, MinerConfig{})
		c.add(nil, engine, MinerConfig{})
		done := func() bool { return c.agreed(205) && c.mined() }
		if err := c.Run(4*time.Hour, done); err != nil || !done() {
			c.report(t)
			t.Fatalf("seed %d: they do not agree after %v and %d steps: %v", seed, c.Now.Sub(sim.Epoch), c.Steps, err)
		}
		deaths := 0
		for _, n := range c.nodes {
			if deaths += n.Deaths; n.Halted != nil || n.Deaths > 0 && c.deadly == 0 {
				c.report(t)
				t.Fatalf("seed %d: a node has halted or a cell has died", seed)
			}
		}
		t.Logf("seed %d: agreed at height %d after %v, %d steps, %d deaths", seed, c.nodes[0].store.tip().Height,
			c.Now.Sub(sim.Epoch).Round(time.Second), c.Steps, deaths)
	}
}

// mined says whether all miners are done.
func (c *city) mined() bool {
	for _, n := range c.nodes {
		if m := n.Sys.Lookup(minerID).Machine().(*Miner); m.left > 0 || !m.at.IsZero() {
			return false
		}
	}
	return true
}

func TestSameSeedSameNodes(t *testing.T) {
	run := func() (uint64, uint64, time.Time) {
		c := newCity(3, roughNet, 3)
		c.add(grow(&genesis.Header, 100, 1), EngineConfig{MaxRead: time.Second}, MinerConfig{Every: time.Second, Count: 20, Bits: bits})
		c.add(nil, EngineConfig{}, MinerConfig{})
		c.add(nil, EngineConfig{}, MinerConfig{})
		if err := c.Run(10*time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		return c.Hash(), c.Steps, c.Now
	}
	hash, steps, now := run()
	for range 2 {
		if h, s, n := run(); h != hash || s != steps || !n.Equal(now) {
			t.Fatalf("%x after %d steps, then %x after %d", hash, steps, h, s)
		}
	}
}
