package sim_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

// scenario is a kind of world. Each seed is another world of its kind.
type scenario struct {
	bounds
	name  string // of the test
	seeds int
	build func(c *town)
	net   fake.NetConfig
	size  int   // nodes and strangers
	sizes []int // instead of size, for one seed after the other
}

// run builds and proves one world.
func (s *scenario) run(seed uint64, with func(*town)) (*town, error) {
	size := s.size
	if len(s.sizes) > 0 {
		size = s.sizes[seed%uint64(len(s.sizes))]
	}
	c := newTown(seed, s.net, size)
	if with != nil {
		with(c)
	}
	s.build(c)
	return c, c.prove(s.bounds)
}

// try runs the seeds of a scenario.
func try(t *testing.T, s *scenario) {
	t.Parallel()
	first, n := uint64(0), max(1, s.seeds/slow)
	if *firstSeed >= 0 {
		first, n = uint64(*firstSeed), 1
	}
	if *seedCount > 0 {
		n = *seedCount
	}
	var steps uint64
	var lived time.Duration
	begun := time.Now()
	for seed := first; seed < first+uint64(n); seed++ {
		c, err := s.run(seed, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s\nagain: go test ./internal/proof/sim -run '^%s$' -seed=%d -v -show", seed, err, c.report(), s.name, seed)
		}
		steps += c.Steps
		lived += c.lived()
	}
	t.Logf("%d seeds, %d inputs (%.0f a second), %v of virtual time", n, steps, float64(steps)/time.Since(begun).Seconds(), lived.Round(time.Minute))
}

var roughNet = fake.NetConfig{
	MinLatency: 5 * time.Millisecond, MaxLatency: 200 * time.Millisecond, Jitter: 50 * time.Millisecond,
	Bandwidth: 1 << 20, Buffer: 64 << 10, MeanLife: 3 * time.Minute, StallChance: 5, StallFor: 10 * time.Second,
	LossChance: 50, CutEvery: 3 * time.Minute, CutFor: time.Minute,
}

var smoothNet = fake.NetConfig{
	MinLatency: 5 * time.Millisecond, MaxLatency: 100 * time.Millisecond, Bandwidth: 1 << 20, Buffer: 64 << 10,
}

var quick = fake.EngineConfig{MaxApply: 20 * time.Millisecond, MaxRead: 20 * time.Millisecond}

// chainOf grows a chain on the genesis block. Each salt gives another chain.
func chainOf(n int, salt uint64) []*wire.MsgBlock {
	return fake.Grow(&genesis.Header, n, bits, salt, 400)
}

// settlers adds nodes. The first has a chain, the second another, shorter one, the rest
// none. The first two mine.
func settlers(c *town, n int, engine fake.EngineConfig, with func(i int, has *belongings)) {
	mine := fake.MinerConfig{Every: 30 * time.Second, Count: 3, Size: 2000}
	for i := range n {
		has := belongings{engine: engine}
		if i < 2 {
			has.blocks, has.mine = chainOf([]int{60, 25}[i], uint64(i+1)), mine
		}
		if with != nil {
			with(i, &has)
		}
		c.add(has)
	}
}

// Latency, stalls, cuts, resets, refused dials. Every other world begins without a
// network.
var roughNetwork = scenario{
	name: "TestRoughNetwork", seeds: 30, net: roughNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		if c.seed%2 == 1 {
			c.cutOff(time.Minute)
		}
		settlers(c, 3, quick, nil)
	},
}

func TestRoughNetwork(t *testing.T) { try(t, &roughNetwork) }

// The same with longer chains and up to fifty nodes. Most of them know each other only
// through others.
var largeTown = scenario{
	name: "TestLargeTown", seeds: 3, net: roughNet, sizes: []int{8, 20, 50},
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		settlers(c, len(c.addrs), quick, func(i int, has *belongings) {
			if i == 0 {
				has.blocks = chainOf(400, 1)
			}
			if i < 8 {
				has.mine = fake.MinerConfig{Every: 2 * time.Minute, Count: 2, Size: 5000}
			}
		})
	},
}

func TestLargeTown(t *testing.T) { try(t, &largeTown) }

// Every component panics in one step of some hundred, before or after it has changed its
// state.
var deaths = scenario{
	name: "TestL11NodesAgreeThoughComponentsDie", seeds: 30, net: roughNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.deadly = 100 + c.rng.IntN(900)
		settlers(c, 3, quick, nil)
	},
}

func TestL11NodesAgreeThoughComponentsDie(t *testing.T) { try(t, &deaths) }

// Three deaths within a minute stop a node, cleanly and with a reason. Two deaths do not,
// nor do three over a longer time.
var dooms = scenario{
	name: "TestL11ThreeDeathsStopTheNode", seeds: 14, net: smoothNet, size: 4,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		first := time.Duration(c.rng.Int64N(int64(time.Minute)))
		settlers(c, 4, quick, func(i int, has *belongings) {
			switch i {
			case 1:
				has.dies = []time.Duration{first, first + 20*time.Second, first + 50*time.Second}
				has.halts = "components died"
			case 2:
				has.dies = []time.Duration{first, first + time.Second}
			case 3:
				has.dies = []time.Duration{first, first + 70*time.Second, first + 140*time.Second}
			}
		})
	},
}

func TestL11ThreeDeathsStopTheNode(t *testing.T) { try(t, &dooms) }

// Half of the town are strangers. Any ten seeds have all manners. A headers message has forty
// headers at most, so the honest chain needs two, and the parrot's are full and bring nothing.
// In every fourth town nodes want no transactions.
var strangers = scenario{
	name: "TestStrangers", seeds: 20, net: smoothNet, size: 6,
	bounds: bounds{rough: 3 * time.Minute, agree: 30 * time.Minute, news: 15 * time.Minute},
	build: func(c *town) {
		c.full = 40
		if c.seed%4 == 0 {
			c.bounds = func(s *node.Settings) { s.Peer.WantTxs = false } // as with --blocksonly
		}
		bad := chainOf(200, 66)
		settlers(c, 3, quick, nil)
		invalid := bad[30+c.rng.IntN(100)].BlockHash()
		for _, n := range c.nodes {
			n.store.BadBlocks[invalid] = true
		}
		honest := chainOf(60, 1)
		for i := range 3 {
			how := manner((int(c.seed) + i*2) % manners)
			blocks := honest
			if how == boaster || how == forger {
				blocks = bad
			}
			c.invite(how, blocks).sure = true
		}
	},
}

func TestStrangers(t *testing.T) { try(t, &strangers) }

// One node has the chain. Two strangers have its headers, and are asked for blocks in
// vain. The world is quiet: no event comes instead of a deadline (law L9).
var stalled = scenario{
	name: "TestL9StrangersWithoutBlocks", seeds: 20, net: smoothNet, size: 4,
	bounds: bounds{agree: 30 * time.Minute, news: time.Minute},
	build: func(c *town) {
		honest := chainOf(60, 1)
		c.add(belongings{engine: quick, blocks: honest})
		c.invite(boaster, honest)
		c.invite(boaster, honest)
		c.add(belongings{engine: quick})
	},
}

func TestL9StrangersWithoutBlocks(t *testing.T) { try(t, &stalled) }

// The engine of one node is slow. That of another hangs longer than the timeouts. The
// database of a third fails: that node stops cleanly, and the others go on.
var engines = scenario{
	name: "TestEngineFails", seeds: 30, net: smoothNet, size: 4,
	bounds: bounds{rough: 20 * time.Minute, agree: time.Hour, news: time.Minute},
	build: func(c *town) {
		settlers(c, 4, quick, func(i int, has *belongings) {
			switch i {
			case 1:
				has.engine = fake.EngineConfig{MaxApply: 10 * time.Second, MaxRead: 30 * time.Second}
			case 2:
				has.engine = fake.EngineConfig{MaxApply: time.Second, MaxRead: time.Second, HangChance: 30, HangFor: 11 * time.Minute}
			case 3:
				has.engine.FatalAt = 1 + c.rng.Uint64N(60)
			}
		})
	},
}

func TestEngineFails(t *testing.T) { try(t, &engines) }

// All nodes but one are told to stop at some moment, whatever they are doing. Where components
// die, a node is also told to stop while its server is being rebuilt.
var stops = scenario{
	name: "TestL8StopDuringEverything", seeds: 48, net: roughNet, size: 3,
	bounds: bounds{rough: 3 * time.Minute, agree: time.Hour, news: time.Minute},
	build: func(c *town) {
		if c.seed%3 == 0 {
			c.deadly = 200
			c.around = func(n *resident, id actor.ID, m actor.Machine) actor.Machine {
				if id == node.Server && n.Node != nil && !n.stop.IsZero() && !n.told {
					n.told = true
					n.Stop()
				}
				return m
			}
		}
		engine := quick
		if c.seed%3 == 1 {
			engine = fake.EngineConfig{MaxApply: 5 * time.Second, MaxRead: 5 * time.Second, HangChance: 20, HangFor: 11 * time.Minute}
		}
		settlers(c, 3, engine, func(i int, has *belongings) {
			if i > 0 {
				has.stop = 1 + time.Duration(c.rng.Int64N(int64(100*time.Second)))
				if c.rng.IntN(2) == 0 {
					has.stop /= 10
				}
			}
		})
	},
}

func TestL8StopDuringEverything(t *testing.T) { try(t, &stops) }

// Every window, lane and budget is one or two. The engine is at times slower than the
// timeouts.
var tiny = scenario{
	name: "TestL4TinyBounds", seeds: 30, net: roughNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 20 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.bounds = tinyBounds(c.rng)
		engine := quick
		engine.HangChance, engine.HangFor = 10, 45*time.Second
		settlers(c, 3, engine, nil)
	},
}

func TestL4TinyBounds(t *testing.T) { try(t, &tiny) }

// tinyBounds draws bounds that are about as small as bounds can be.
func tinyBounds(rng *rand.Rand) func(*node.Settings) {
	few := func() int { return 1 + rng.IntN(2) }
	return func(s *node.Settings) {
		l := &s.Limits
		l.Seats = maxPeers + few()
		l.Credit.Msgs, l.Credit.Bytes = few(), 1000*few()
		l.PeerQuestions = 3 + 1
		l.BlockEvents, l.TxEvents = few(), few()
		l.Dials = few()
		l.Chain.Worker = few()
		w := &l.Windows
		w.SyncHeaders, w.SyncBlocks, w.SyncLocators, w.SyncPaths, w.SyncForks = few(), few(), few(), 1, 1
		reads := few()
		w.BookPicks, w.BookSamples, w.BookNotes = 1, 1, 1
		w.Submit, w.Read = 20*time.Second, 5*time.Second
		l.Chain.WorkerTimeout = w.Submit
		l.Relay.MaxReads, l.Relay.MaxKnown, l.Relay.MaxAnnounce = reads, few(), few()
		n := &l.Netsync
		n.Span, n.HeldBytes, n.SubmitBytes = 2*few(), 1000*few(), 1000*few()
		n.MinInFlight, n.StartInFlight, n.MaxInFlight = 1, 1, few()
		s.Peer.QueueCap = 1000 * few()
		s.Peer.AskedBlocks = 2 * n.MaxInFlight
	}
}

// The clock of one node jumps now and then. It jumps forward by seconds or an hour, so
// that all open questions time out at once, or back.
var clocks = scenario{
	name: "TestClockJumps", seeds: 20, net: smoothNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 30 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.jumps = time.Minute
		settlers(c, 3, quick, nil)
	},
}

func TestClockJumps(t *testing.T) { try(t, &clocks) }

// All of it together.
var everything = scenario{
	name: "TestEverythingAtOnce", seeds: 20, net: roughNet, size: 5,
	bounds: bounds{rough: 5 * time.Minute, agree: time.Hour, news: 15 * time.Minute},
	build: func(c *town) {
		c.deadly = 30 + c.rng.IntN(300)
		c.bounds = tinyBounds(c.rng)
		c.jumps = time.Minute
		engine := fake.EngineConfig{MaxApply: 200 * time.Millisecond, MaxRead: 200 * time.Millisecond, HangChance: 10, HangFor: 45 * time.Second}
		settlers(c, 3, engine, func(i int, has *belongings) {
			if i == 2 && c.seed%4 == 0 {
				has.stop = 1 + time.Duration(c.rng.Int64N(int64(5*time.Minute)))
			}
		})
		honest := chainOf(60, 1)
		c.invite(manner(int(c.seed)%manners), honest)
		c.invite(manner(int(c.seed)/manners%manners), honest)
	},
}

func TestEverythingAtOnce(t *testing.T) { try(t, &everything) }
