package sim_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/server"
)

// bounds says how long things may take in virtual time.
type bounds struct {
	rough time.Duration // the weather is rough for so long
	agree time.Duration // then all nodes come to the same work
	news  time.Duration // and then all hear of a new block
}

// The same for all worlds.
const (
	calmDown = 12 * time.Minute // to find each other again, and for engines to come back
	atRest   = 30 * time.Minute // until nothing is under way
	stopIn   = 5 * time.Second  // from the request to the end of a node, adapters included
)

// prove runs a world: rough weather, then calm, agreement, news, rest, the end of the
// network and the stop. It says what is wrong with the world.
func (c *town) prove(b bounds) error {
	if _, err := c.live(b.rough, func() bool { return false }); err != nil {
		return err
	}
	stopped := c.stopping()
	c.settle()
	stages := []wish{
		{"the nodes that stop have ended", 2 * stopIn, func() bool { return all(stopped, (*resident).ended) }},
		{"the nodes agree", b.agree, c.agreed},
		{"they found each other", calmDown, nil},
		{"they agree on what they have found", b.agree, c.agreed},
	}
	stages = append(stages, c.wishes...)
	stages = append(stages, []wish{
		{"a new block is known to all", b.news, c.news()},
		{"components and kernel know the same peers", atRest, c.familiar()},
		{"nothing is under way", atRest, c.each((*resident).rests)},
		{"no peer is left when the network is gone", 2 * atRest, c.deserted()},
	}...)
	for _, stage := range stages {
		done := stage.done
		if done == nil { // the time passes in any case
			done = func() bool { return false }
		}
		ok, err := c.live(stage.within, done)
		if err == nil {
			err = c.sound()
		}
		if err != nil {
			return fmt.Errorf("until %s: %w", stage.what, err)
		}
		if !ok && (stage.done != nil || !c.met()) {
			return errors.Join(fmt.Errorf("not within %v: %s", stage.within, stage.what), c.why())
		}
	}
	return c.end()
}

// met says whether every node that is up has a connection.
func (c *town) met() bool {
	return len(c.up()) < 2 || all(c.up(), func(n *resident) bool { return n.adapter.Conns() > 0 })
}

// all says whether something is so for every node.
func all(nodes []*resident, is func(*resident) bool) bool {
	for _, n := range nodes {
		if !is(n) {
			return false
		}
	}
	return true
}

func (n *resident) ended() bool { return n.Stopped() }

// clock is what the node's clock shows at a time of the world.
func (n *resident) clock(world time.Time) time.Time { return world.Add(n.Ahead) }

// stopping lists the nodes that are stopping or have stopped.
func (c *town) stopping() (list []*resident) {
	for _, n := range c.nodes {
		if n.told {
			list = append(list, n)
		}
	}
	return list
}

// once makes a condition. The first look at it also starts something.
func once(start func(), done func() bool) func() bool {
	started := false
	return func() bool {
		if !started {
			started = true
			start()
		}
		return done()
	}
}

// news lets one of the nodes mine a block. All must hear of it.
func (c *town) news() func() bool {
	var miner *resident
	var height int32
	return once(func() {
		if up := c.up(); len(up) > 0 {
			miner = up[c.rng.IntN(len(up))]
			height = miner.store.Tips().Block.Height
			miner.miner.More(miner.clock(c.Now))
			miner.Wake(miner.Sys.Lookup(minerID))
		}
	}, func() bool {
		return miner == nil || miner.store.Tips().Block.Height > height && c.agreed()
	})
}

// each makes a condition that every node must meet at some moment. The moments may
// differ: of fifty nodes one is always dialling.
func (c *town) each(is func(*resident) bool) func() bool {
	met := map[*resident]bool{}
	return func() bool {
		return all(c.up(), func(n *resident) bool {
			met[n] = met[n] || is(n)
			return met[n]
		})
	}
}

// rests says whether nothing is under way: no input is queued, no question is open, given
// up or owed, and all credit is back with the sockets.
func (n *resident) rests() bool {
	for _, x := range n.Sys.Cells() {
		st := x.Stats()
		if st.Asking+st.Zombies+st.Owing > 0 || st.Depth != [actor.NumLanes]int{} {
			return false
		}
		if x.Runs() && x.ID.Parent() != 0 {
			if msgs, bytes := x.CreditLeft(); msgs != n.limits.Credit.Msgs || bytes != n.limits.Credit.Bytes {
				return false
			}
		}
	}
	return true
}

// familiar makes the clients ask. Then the components must say which peers are there, and
// the tips must be those of the engine.
func (c *town) familiar() func() bool {
	var since time.Time
	return once(func() {
		since = c.Now
		for _, n := range c.up() {
			n.client.every, n.client.next = 5*time.Second, n.clock(c.Now)
			n.Wake(n.Sys.Lookup(clientID))
		}
	}, func() bool {
		return c.guests > 0 || all(c.up(), func(n *resident) bool { return n.familiar(since) })
	})
}

func (n *resident) familiar(since time.Time) bool {
	there := 0
	for _, x := range n.Living() {
		if x.ID.Parent() != 0 {
			there++
		}
	}
	ready := 0
	for _, p := range n.client.conns.Peers {
		if p.Ready {
			ready++
		}
	}
	k, tips := n.client, n.store.Tips()
	return k.since(n.clock(since)) && len(k.conns.Peers) == there && k.server.Inbound+k.server.Outbound == there &&
		len(k.peers.Peers) == ready && k.sync.Peers == ready && k.relay.Peers == ready &&
		k.best == tips && k.sync.Tips == tips && k.blank.Prev == tips.Block && k.top.Point == tips.Block && k.top.InBestChain
}

// deserted takes the network down, or, in every other world, silently cuts all lines. Then
// all that peers have held must be free, in the kernel and in what the components say.
func (c *town) deserted() func() bool {
	var gone time.Time
	return once(func() {
		gone = c.Now
		if c.seed%2 == 0 {
			c.net.Down(c.Now)
		} else {
			c.net.Silence(c.Now, c.Now.Add(24*time.Hour))
		}
	}, c.each(func(n *resident) bool { return n.deserted(gone) && n.rests() }))
}

func (n *resident) deserted(since time.Time) bool {
	k := n.client
	return n.adapter.Conns() == 0 &&
		n.Sys.Lookup(node.Server).Seats(server.KindPeer) == n.limits.Seats &&
		k.since(n.clock(since)) && len(k.peers.Peers) == 0 && len(k.conns.Peers) == 0 &&
		k.sync.Peers == 0 && k.relay.Peers == 0 && k.sync.InFlight == 0 &&
		k.server.Inbound == 0 && k.server.Outbound == 0 && k.server.Handshaking == 0
}

// sound verifies what must hold at all times.
func (c *town) sound() error {
	if c.wrong != nil {
		return c.wrong
	}
	deaths := 0
	for _, n := range c.nodes {
		deaths += n.Deaths
		if n.Sys.Bugs() > 0 {
			return fmt.Errorf("%s: %d bugs, the first: %v", n.Name, n.Sys.Bugs(), n.Halted)
		}
		if n.Halted != nil && n.halts == "" && !strings.Contains(n.Halted.Error(), "simulated database") {
			return fmt.Errorf("%s has halted: %v", n.Name, n.Halted)
		}
		for _, x := range n.Sys.Cells() {
			if st := x.Stats(); x.ID.Parent() == 0 && st.Refused > 0 {
				return fmt.Errorf("%s: %s refused %d inputs for which its lanes were made", n.Name, x.Name, st.Refused)
			} else if st.Stray > 0 {
				return fmt.Errorf("%s: %s was given %d answers to no question", n.Name, x.Name, st.Stray)
			}
		}
	}
	if deaths != c.deaths {
		for _, n := range c.nodes {
			if n.Deaths > 0 {
				return fmt.Errorf("%d deaths, %d by intent; the last of %s: %s", deaths, c.deaths, n.Name, n.Death)
			}
		}
	}
	return nil
}

// end stops all nodes at once. Every cell must end in time.
func (c *town) end() error {
	for _, n := range c.nodes {
		if n.halts != "" && (n.Halted == nil || !strings.Contains(n.Halted.Error(), n.halts)) {
			return fmt.Errorf("%s was to halt, for %s: %v", n.Name, n.halts, n.Halted)
		}
		n.Stop()
	}
	if ok, err := c.live(stopIn, func() bool { return all(c.nodes, (*resident).ended) }); err != nil || !ok {
		var alive []string
		for _, n := range c.nodes {
			for _, x := range n.Living() {
				alive = append(alive, n.Name+" "+x.Name)
			}
		}
		return errors.Join(err, fmt.Errorf("not stopped within %v: %v", stopIn, alive))
	}
	return c.sound()
}
