package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
	"acyclic/netsync"
	"acyclic/peer"
)

// heldBudget is the budget of the node that downloads, in bytes. The largest block has 8,000.
const heldBudget = 20_000

// The last node downloads a chain from five others. Their lines differ by a factor of a
// hundred, and some blocks are twenty times as large as others. So blocks come far out of order,
// and cannot all be held: some are downloaded again. No more is held than the budget allows, and
// the download goes on.
var budget = scenario{
	name: "TestL4BudgetOfHeldBlocks", seeds: 3, size: 6,
	net: fake.NetConfig{
		MinLatency: 20 * time.Millisecond, MaxLatency: 2 * time.Second, Jitter: 500 * time.Millisecond,
		Bandwidth: 100 << 10, Buffer: 64 << 10, StallChance: 10, StallFor: 5 * time.Second,
	},
	bounds: bounds{rough: 2 * time.Minute, agree: 3 * time.Minute, news: time.Minute},
	build: func(c *town) {
		blocks := chainOf(30, 1)
		for len(blocks) < 300 {
			size := 400
			if c.rng.IntN(4) == 0 {
				size *= 20
			}
			blocks = append(blocks, fake.Grow(&blocks[len(blocks)-1].Header, 1, bits, 1, size)...)
		}
		for range 5 {
			c.add(belongings{engine: quick, blocks: blocks})
		}
		g := &gauge{town: c, came: map[chainhash.Hash]bool{}}
		c.around = g.watch
		n := c.add(belongings{engine: quick, config: func(s *node.Settings) {
			n := &s.Limits.Netsync
			n.Span, n.HeldBytes, n.SubmitBytes, n.StartInFlight = 64, heldBudget, 8_000, 16
			s.Server.OutboundTarget = 5
		}})
		n.client.every = 20 * time.Millisecond
		c.meddle = func() {
			if int(n.store.Tips().Block.Height) == len(blocks) {
				n.client.every = 10 * time.Second
			}
		}
		c.wishes = append(c.wishes, wish{"blocks were held, and had to come again", 0, func() bool {
			return g.most > heldBudget/2 && g.again > 0
		}})
	},
}

func TestL4BudgetOfHeldBlocks(t *testing.T) { try(t, &budget) }

// gauge knows what a node's netsync says that it holds, and which blocks came.
type gauge struct {
	town  *town
	most  int // bytes held
	came  map[chainhash.Hash]bool
	again int // orders of blocks that had come before: there was no room for them
}

func (g *gauge) watch(_ *resident, id actor.ID, m actor.Machine) actor.Machine {
	if id != node.Netsync {
		return m
	}
	return &mutant{Machine: m, after: func(in actor.Input, out *actor.Outbox) {
		if b, ok := in.Body.(peer.BlockReceived); ok {
			g.came[b.Hash] = true
		}
		for _, e := range out.Effects() {
			switch b := e.Body.(type) {
			case netsync.Status:
				g.holds(b.HeldBytes)
			case peer.Send:
				g.sent(b)
			}
		}
	}}
}

func (g *gauge) holds(bytes int) {
	g.most = max(g.most, bytes)
	if bytes > heldBudget {
		g.town.accuse(fmt.Errorf("netsync holds %d bytes of blocks, and may hold %d", bytes, heldBudget))
	}
}

func (g *gauge) sent(q peer.Send) {
	for _, msg := range q.Msgs {
		if get, ok := msg.(*wire.MsgGetData); ok {
			for _, v := range get.InvList {
				if g.came[v.Hash] {
					g.again++
				}
			}
		}
	}
}
