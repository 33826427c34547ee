package sim_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim"
	"acyclic/internal/proof/sim/fake"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/server"
)

// The cells that a simulated node has besides those of the wiring.
const (
	minerID  actor.ID = 90
	clientID actor.ID = 91
)

const bits = 0x207fffff

var genesis = chaincfg.RegressionNetParams.GenesisBlock

// town is a world of nodes and strangers. The nodes have the production wiring, on
// simulated adapters.
type town struct {
	*sim.World
	seed     uint64
	net      *fake.Net
	rng      *rand.Rand
	adapters []*fake.Adapter // of nodes and strangers
	homes    []*sim.Node     // of each adapter
	addrs    []netip.AddrPort
	nodes    []*resident
	calm     bool
	deadly   int           // one step in so many of a component panics; zero: none
	twins    bool          // what is built is a twin's, and may never live
	deaths   int           // how many there were by intent
	guests   int           // how many strangers there are
	peers    int           // how many each node may have
	full     int           // how many headers a message has at most
	jumps    time.Duration // the mean time between two jumps of the first node's clock; zero: no jumps
	jumpAt   time.Time
	outage   time.Time // until when there is no network; zero: there is one

	wrong  error        // the first thing that somebody of the town found wrong
	wishes []wish       // what else must come true in calm
	why    func() error // what is still missing of the wishes

	// bounds, tune and alter change the wiring, for worlds with other bounds and for
	// the broken variants that the checks must catch.
	bounds func(*node.Settings)
	tune   func(*node.Settings)
	alter  func(*cell.Plan)

	meddle func() // happens now and then between two inputs
	// around puts a machine of a node into another one, which looks at what it is given and
	// at what it does.
	around func(n *resident, id actor.ID, m actor.Machine) actor.Machine
}

// resident is a node of the town.
type resident struct {
	*sim.Node
	store   *fake.Store
	adapter *fake.Adapter
	limits  node.Limits
	miner   *fake.Miner
	client  *client
	payer   *payer        // nil: nobody pays
	wallet  *wallet       // nil: it has none
	stop    time.Time     // when it is told to stop; zero: never
	told    bool          // it was told, or has halted
	halts   string        // part of the reason for which it must halt; "": it need not
	linger  time.Duration // between its wish to stop and its stop
	halted  time.Time     // when it was seen to have halted
}

// wish is something that must come true within a time.
type wish struct {
	what   string
	within time.Duration
	done   func() bool
}

// accuse notes what is wrong.
func (c *town) accuse(err error) { c.wrong = cmp.Or(c.wrong, err) }

// belongings are what a node starts with.
type belongings struct {
	blocks []*wire.MsgBlock
	engine fake.EngineConfig
	mine   fake.MinerConfig
	stop   time.Duration   // after so long it is told to stop; zero: never
	dies   []time.Duration // when one of its components dies
	names  fake.ResolverConfig
	lonely bool                 // its address book is empty
	orders bool                 // an operator adds and removes peers
	config func(*node.Settings) // what its user has configured besides
	halts  string               // part of the reason for which it must halt; "": it need not
	linger time.Duration        // between its wish to stop and its stop
	fails  *time.Time           // when its engine's worker dies of a question; nil: never
	pays   time.Duration        // the mean time between two acts of its payer or wallet; zero: it has none
	coins  []*wire.MsgBlock     // whose rewards that has
	market *market              // where its wallet pays; nil: it has none
	ahead  time.Duration        // how far the clock by which it judges headers is ahead
}

// userAgent is what a node says that it is. Strangers say something else.
const userAgent = "/sim/"

// maxPeers is how many peers a node has at most, unless its world says otherwise.
const maxPeers = 8

func newTown(seed uint64, cfg fake.NetConfig, size int) *town {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := &town{World: sim.New(seed), seed: seed, rng: rng, peers: maxPeers, full: wire.MaxBlockHeadersPerMsg, meddle: func() {}, why: func() error { return nil }, net: fake.NewNet(cfg, rng)}
	c.Check = true
	for i := range size {
		c.addrs = append(c.addrs, netip.MustParseAddrPort(fmt.Sprintf("8.%d.0.1:18555", i+1)))
	}
	c.net.Seen = func(command string, payload []byte) {
		c.Mix([]byte(command))
		c.Mix(payload)
	}
	c.net.Wake = func(e *fake.Adapter) {
		for i := range c.adapters {
			if c.adapters[i] == e && c.homes[i] != nil {
				c.homes[i].Wake(c.homes[i].Sys.Lookup(node.Transport))
			}
		}
	}
	return c
}

// seeded returns a new source of chance.
func (c *town) seeded() *rand.Rand { return rand.New(rand.NewPCG(c.rng.Uint64(), 2)) }

// settings are those of a node. Each node names the next one, so that no
// stranger can come between all of them. It finds the others itself.
func (c *town) settings() node.Settings {
	i := len(c.adapters)
	l := node.Derive(c.peers, 1)
	s := node.Settings{Limits: l, Peer: peer.Config{Bounds: l.Peer}, Server: server.Config{Bounds: l.Server}, Seed: [2]uint64{c.rng.Uint64(), c.rng.Uint64()}}
	s.Limits.Netsync.HeadersPerMessage = c.full
	s.Peer.Services, s.Peer.UserAgent, s.Peer.WantTxs = node.Services, userAgent, true
	s.Peer.NonceKey = [32]byte{byte(i + 1)}
	s.Server.DefaultPort = 18555
	s.Server.OutboundTarget = 2
	s.Server.MaxInboundPerIP = 2
	s.Server.AddPeers = []string{c.addrs[(i+1)%len(c.addrs)].String()}
	if c.bounds != nil {
		c.bounds(&s)
	}
	if c.deadly > 0 {
		s.Limits.Deaths = cell.Deaths{} // such a world goes on
	}
	return s
}

// add starts a node.
func (c *town) add(has belongings) *resident {
	s := c.settings()
	if has.config != nil {
		has.config(&s)
	}
	if c.tune != nil {
		c.tune(&s)
	}
	n := &resident{store: fake.NewStore(genesis), limits: s.Limits, halts: has.halts, linger: has.linger}
	n.store.HeadersPerMessage = s.Limits.Netsync.HeadersPerMessage
	n.store.Ahead = has.ahead
	n.store.Add(c.Now, has.blocks...)
	if has.stop > 0 {
		n.stop = c.Now.Add(has.stop)
	}
	var ep actor.Ports
	n.adapter = c.net.Adapter(c.addrs[len(c.adapters)], node.ConnectTransport(&ep, s.Limits).Admit)
	book := c.addrs
	if has.lonely {
		book = nil
	}
	parts := []sim.Part{
		{ID: node.EngineWorker, Name: "engine", Build: func() actor.Machine { return c.worker(has, n.store) }},
		{ID: node.EngineReaders, Name: "readers", Build: func() actor.Machine { return fake.NewReaders(has.engine, n.store, c.seeded()) }},
		{ID: node.Transport, Name: "net", Ports: ep.Specs, Build: func() actor.Machine { return n.adapter }},
		{ID: node.Book, Name: "book", Build: func() actor.Machine { return fake.NewBook(book, c.seeded()) }},
		{ID: node.Display, Name: "display", Build: func() actor.Machine { return &audience{} }},
		{ID: node.Resolver, Name: "resolver", Build: func() actor.Machine { return fake.NewResolver(has.names, c.seeded()) }},
	}
	plan := node.Wire(s, node.Adapters{})
	plan.Subscribers = nil // a part plays the display
	c.populate(n, plan, has.mine)
	if has.orders {
		c.employ(n, plan, s.Server.MaxAdded)
	}
	if has.pays > 0 && has.market == nil {
		c.endow(n, plan, has.pays, has.coins)
	}
	if has.market != nil {
		has.market.open(c, n, plan, has.pays, has.coins)
	}
	if c.jumps > 0 {
		wrap(plan, func(_ actor.ID, m actor.Machine) actor.Machine { return &clocked{Machine: m, town: c} })
	}
	c.mortals(plan)
	c.foredoom(plan, has.dies)
	if c.alter != nil {
		c.alter(plan)
	}
	if c.around != nil {
		wrap(plan, func(id actor.ID, m actor.Machine) actor.Machine { return c.around(n, id, m) })
	}
	traced(c.World, fmt.Sprintf("node%d", len(c.nodes)+1), plan)
	c.nodes = append(c.nodes, n)
	c.adapters, c.homes = append(c.adapters, n.adapter), append(c.homes, nil)
	n.Node = c.Add(fmt.Sprintf("node%d", len(c.nodes)), plan, parts...)
	n.adapter.Cells, n.adapter.ID = n.Node, node.Transport
	c.homes[len(c.homes)-1] = n.Node
	return n
}

// audience plays the progress display: it hears what the node publishes of itself.
type audience struct{ sync netsync.Status }

func (a *audience) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch s := in.Body.(type) {
	case netsync.Status:
		if s.Blocks < a.sync.Blocks && s.Started.Equal(a.sync.Started) {
			panic("an older Status comes after a newer one")
		}
		a.sync = s
	case actor.Stop:
		out.Finish("stopped")
	}
}

func (a *audience) Deadline() time.Time { return time.Time{} }
func (a *audience) Check() error        { return nil }

// populate adds a miner and a client, which stand for RPC.
func (c *town) populate(n *resident, plan *cell.Plan, mine fake.MinerConfig) {
	var mp, cp actor.Ports
	mine.Bits = bits
	port := actor.Connect[chain.SubmitBlock](&mp, "miner.submit", node.ToChain, 1, 15*time.Minute)
	n.miner = fake.NewMiner(mine, port, c.seeded())
	n.miner.Template = actor.Connect[chain.GetTemplate](&mp, "miner.template", node.ToChain, 1, 15*time.Minute)
	n.client = newClient(&cp, c.seeded())
	if c.seed%2 == 1 {
		n.client.every = time.Hour // nothing may depend on its questions
	}
	plan.Cells = append(plan.Cells,
		cell.Static{ID: minerID, Name: "miner", Ports: mp.Specs, Build: func(uint32) actor.Machine { return n.miner }},
		cell.Static{ID: clientID, Name: "client", Ports: cp.Specs, Build: func(uint32) actor.Machine { return n.client }},
	)
	for i := range plan.Topics {
		if plan.Topics[i].ID == node.ChainTips {
			plan.Topics[i].Subs = append(plan.Topics[i].Subs, minerID)
		}
	}
}

// live runs the world until done, for at most a time. Meanwhile the town does what is due
// by its clock.
func (c *town) live(bound time.Duration, done func() bool) (bool, error) {
	var at time.Time // when done is looked at again
	ok, looks := false, 0
	err := c.Run(bound, func() bool {
		if c.Now.Before(at) {
			return false
		}
		at = c.Now.Add(50 * time.Millisecond)
		c.govern()
		c.jump()
		c.repair()
		c.meddle()
		if looks++; looks%64 == 0 {
			c.audit()
		}
		ok = done()
		return ok
	})
	c.govern()
	c.audit()
	return ok || err == nil && done(), err
}

// govern stops the nodes that are due to stop or have halted.
func (c *town) govern() {
	for _, n := range c.nodes {
		if n.Halted != nil && n.halted.IsZero() {
			n.halted = c.Now
		}
		if n.Halted != nil && c.Now.Sub(n.halted) >= n.linger || !n.stop.IsZero() && !n.stop.After(c.Now) {
			n.told = true
			n.Stop()
		}
	}
}

// cutOff takes the network away for a time.
func (c *town) cutOff(d time.Duration) {
	c.outage = c.Now.Add(d)
	c.net.Down(c.Now)
}

// repair brings the network back.
func (c *town) repair() {
	if !c.outage.IsZero() && !c.Now.Before(c.outage) {
		c.outage = time.Time{}
		c.net.Up()
	}
}

// lived is how much virtual time has passed.
func (c *town) lived() time.Duration { return c.Now.Sub(sim.Epoch) }

// up lists the nodes that are not stopping.
func (c *town) up() (list []*resident) {
	for _, n := range c.nodes {
		if !n.told && n.Halted == nil {
			list = append(list, n)
		}
	}
	return list
}

// settle ends all faults of the environment.
func (c *town) settle() {
	c.calm = true
	c.net.Calm()
	for _, n := range c.nodes {
		n.stop = time.Time{}
		if !n.Stopped() {
			for _, id := range []actor.ID{node.EngineWorker, node.EngineReaders, node.Resolver} {
				n.Sys.Lookup(id).Machine().(interface{ Calm() }).Calm()
			}
		}
	}
}

// agreed says whether all nodes that are up have a best block of the same work.
// The blocks may differ: of two that were found at the same time a node keeps the one that
// it saw first.
func (c *town) agreed() bool {
	up := c.up()
	for _, n := range up {
		if !n.miner.Idle() || n.store.Tips().Block.Work != up[0].store.Tips().Block.Work {
			return false
		}
	}
	return true
}

// wrap puts every machine of a plan, kinds included, into another machine.
func wrap(plan *cell.Plan, with func(id actor.ID, m actor.Machine) actor.Machine) {
	for i := range plan.Cells {
		id, build := plan.Cells[i].ID, plan.Cells[i].Build
		plan.Cells[i].Build = func(gen uint32) actor.Machine { return with(id, build(gen)) }
	}
	for i := range plan.Kinds {
		build := plan.Kinds[i].Build
		plan.Kinds[i].Build = func(id actor.ID, arg any) actor.Machine { return with(id, build(id, arg)) }
	}
}
