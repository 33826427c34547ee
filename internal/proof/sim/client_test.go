package sim_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// client asks the components what RPC handlers ask, one question at a time, as long as
// the node lives. It keeps the latest answers.
type client struct {
	tips    actor.Port[chain.GetTips, chain.Tips]
	block   actor.Port[chain.GetBlock, chain.Block]
	blanks  actor.Port[chain.GetTemplate, chain.Template]
	header  actor.Port[chain.GetHeader, chain.HeaderInfo]
	status  actor.Port[netsync.GetStatus, netsync.Status]
	syncs   actor.Port[netsync.GetPeers, netsync.Peers]
	servers actor.Port[server.GetStatus, server.Status]
	seats   actor.Port[server.GetPeers, server.Peers]
	infos   actor.PortOf[peer.GetInfo, peer.Info, peer.Peer]
	relays  actor.Port[relay.GetStatus, relay.Status]
	hears   actor.Port[relay.GetPeers, relay.Peers]
	unasked actor.Port[relay.GetUnbroadcast, relay.Unbroadcast]

	rng    *rand.Rand
	every  time.Duration
	asking bool
	next   time.Time
	asked  map[string]time.Time // when the latest answer of a kind came

	best   chain.Tips
	blank  chain.Template
	top    chain.HeaderInfo
	sync   netsync.Status
	peers  netsync.Peers
	server server.Status
	conns  server.Peers
	relay  relay.Status
}

func newClient(p *actor.Ports, rng *rand.Rand) *client {
	return &client{
		tips:    actor.Connect[chain.GetTips](p, "client.tips", node.ToChain, 1, time.Minute),
		block:   actor.Connect[chain.GetBlock](p, "client.block", node.ToReaders, 1, time.Minute),
		blanks:  actor.Connect[chain.GetTemplate](p, "client.templates", node.ToChain, 1, 15*time.Minute),
		header:  actor.Connect[chain.GetHeader](p, "client.header", node.ToReaders, 1, time.Minute),
		status:  actor.Connect[netsync.GetStatus](p, "client.status", node.ToNetsync, 1, 10*time.Second),
		syncs:   actor.Connect[netsync.GetPeers](p, "client.syncs", node.ToNetsync, 1, 10*time.Second),
		servers: actor.Connect[server.GetStatus](p, "client.servers", node.ToServer, 1, 10*time.Second),
		seats:   actor.Connect[server.GetPeers](p, "client.seats", node.ToServer, 1, 10*time.Second),
		relays:  actor.Connect[relay.GetStatus](p, "client.relays", node.ToRelay, 1, 10*time.Second),
		hears:   actor.Connect[relay.GetPeers](p, "client.hears", node.ToRelay, 1, 10*time.Second),
		unasked: actor.Connect[relay.GetUnbroadcast](p, "client.unasked", node.ToRelay, 1, 10*time.Second),
		infos:   actor.ConnectOf[peer.GetInfo](p, "client.infos", 1, 10*time.Second),
		rng:     rng, every: 10 * time.Second, asked: map[string]time.Time{},
	}
}

func (c *client) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		c.ask(out)
	default:
		c.note(now, in.Err, b)
	}
	if !c.asking {
		c.next = now.Add(time.Duration(c.rng.Int64N(int64(2 * c.every))))
	}
}

// ask asks one question, drawn from twelve.
func (c *client) ask(out *actor.Outbox) {
	var ok bool
	switch c.rng.IntN(12) {
	case 0:
		_, ok = c.tips.Ask(out, 0, chain.GetTips{})
	case 1:
		_, ok = c.block.Ask(out, 0, chain.GetBlock{Hash: c.best.Block.Hash})
	case 2:
		_, ok = c.status.Ask(out, 0, netsync.GetStatus{})
	case 3:
		_, ok = c.syncs.Ask(out, 0, netsync.GetPeers{})
	case 4:
		_, ok = c.servers.Ask(out, 0, server.GetStatus{})
	case 5:
		_, ok = c.seats.Ask(out, 0, server.GetPeers{})
	case 6:
		if k := len(c.conns.Peers); k > 0 {
			_, ok = c.infos.Ask(out, peer.To(c.conns.Peers[c.rng.IntN(k)].Peer), 0, peer.GetInfo{})
		}
	case 7:
		_, ok = c.relays.Ask(out, 0, relay.GetStatus{})
	case 8:
		_, ok = c.hears.Ask(out, 0, relay.GetPeers{})
	case 9:
		_, ok = c.unasked.Ask(out, 0, relay.GetUnbroadcast{})
	case 10:
		_, ok = c.blanks.Ask(out, 0, chain.GetTemplate{Time: c.next})
	case 11:
		_, ok = c.header.Ask(out, 0, chain.GetHeader{Hash: c.best.Block.Hash})
	}
	c.asking = ok
}

func (c *client) note(now time.Time, err error, answer any) {
	c.asking = false
	if err != nil {
		return
	}
	c.asked[fmt.Sprintf("%T", answer)] = now
	switch a := answer.(type) {
	case chain.Tips:
		c.best = a
	case chain.Template:
		c.blank = a
	case chain.HeaderInfo:
		c.top = a
	case netsync.Status:
		c.sync = a
	case netsync.Peers:
		c.peers = a
	case server.Status:
		c.server = a
	case server.Peers:
		c.conns = a
	case relay.Status:
		c.relay = a
	}
}

// since says whether all answers are newer than a time.
func (c *client) since(at time.Time) bool {
	for _, answer := range [...]any{c.best, c.blank, c.top, c.sync, c.peers, c.server, c.conns, c.relay} {
		if !c.asked[fmt.Sprintf("%T", answer)].After(at) {
			return false
		}
	}
	return true
}

func (c *client) Deadline() time.Time {
	if c.asking {
		return time.Time{}
	}
	return c.next
}

func (c *client) Check() error { return nil }
