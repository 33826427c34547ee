package sim_test

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/peer"
)

// Two nodes have a chain. A stranger downloads it as clients did before headers came first:
// it asks getblocks, is told five hundred hashes, asks for the blocks, and is told of the tip
// when it has the last of them. Then it asks again. In every other world the readers hang now
// and then, for longer than relay waits. Then the stranger asks again when nothing has come.
var veterans = scenario{
	name: "TestGetBlocksLeadsToTheTip", seeds: 2, net: smoothNet, size: 3,
	bounds: bounds{rough: 3 * time.Minute, agree: time.Minute, news: time.Minute},
	build: func(c *town) {
		blocks := chainOf(900, 1)
		engine := quick
		hangs := c.seed%2 == 1
		if hangs {
			engine.HangChance, engine.HangFor = 20, 2*time.Minute
			c.bounds = func(s *node.Settings) { s.Limits.Windows.Read = 10 * time.Second }
		}
		for range 2 {
			c.add(belongings{engine: engine, blocks: blocks})
		}
		most := 0
		v := c.invite(veteran, nil)
		v.nags, v.learns = hangs, func(n int) { most = max(most, n) }
		c.wishes = append(c.wishes, wish{"the veteran has the chain", time.Hour, func() bool { return most >= len(blocks) }})
	},
}

func TestGetBlocksLeadsToTheTip(t *testing.T) { try(t, &veterans) }

// learned is what a veteran has got on one connection.
type learned struct {
	has   map[chainhash.Hash]bool
	tip   chainhash.Hash
	asked map[chainhash.Hash]bool
	idle  bool // nothing has come since it last looked
}

func (l *liar) begin(now time.Time, out *actor.Outbox) {
	l.tip = genesis.BlockHash()
	l.has, l.asked = map[chainhash.Hash]bool{l.tip: true}, map[chainhash.Hash]bool{}
	if l.nags {
		l.acts = now.Add(time.Minute)
	}
	l.getBlocks(out)
}

// getBlocks asks for what follows the stranger's tip.
func (l *liar) getBlocks(out *actor.Outbox) {
	l.say(out, &wire.MsgGetBlocks{ProtocolVersion: wire.ProtocolVersion, BlockLocatorHashes: []*chainhash.Hash{&l.tip}})
}

// nag asks again if nothing has come.
func (l *liar) nag(out *actor.Outbox) {
	if l.idle {
		clear(l.asked)
		l.getBlocks(out)
	}
	l.idle = true
}

// study takes in hashes and blocks.
func (l *liar) study(msg wire.Message, out *actor.Outbox) {
	switch m := msg.(type) {
	case *wire.MsgInv:
		get := wire.NewMsgGetData()
		for _, v := range m.InvList {
			if !l.has[v.Hash] && !l.asked[v.Hash] {
				l.asked[v.Hash] = true
				get.InvList = append(get.InvList, wire.NewInvVect(wire.InvTypeBlock, &v.Hash))
			}
		}
		if len(get.InvList) > 0 {
			l.say(out, get)
		}
	case *peer.MsgBlock:
		l.idle = false
		hash := m.Header.BlockHash()
		delete(l.asked, hash)
		switch {
		case l.has[hash]:
		case m.Header.PrevBlock != l.tip:
			l.getBlocks(out) // what lies between
		default:
			l.has[hash], l.tip = true, hash
			l.learns(len(l.has) - 1)
		}
	}
}
