package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim"
	"acyclic/internal/proof/sim/fake"
	"acyclic/netsync"
	"acyclic/peer"
)

// The clock of the first node is three hours ahead, and it has blocks that are too new for the
// others: one more of them may be known with every minute. That of the third node is as far
// ahead, until it is put right after the headers have come. So it has headers whose blocks are
// too new.
var future = scenario{
	name: "TestBlocksFromTheFuture", seeds: 4, net: smoothNet, size: 3,
	bounds: bounds{rough: 20 * time.Minute, agree: 20 * time.Minute, news: time.Minute},
	build: func(c *town) {
		p := &prophet{town: c, chain: chainOf(60, 1), right: c.Now.Add(20*time.Second + time.Duration(c.rng.Int64N(int64(40*time.Second))))}
		for at := c.Now.Add(115 * time.Minute); len(p.chain) < 80; at = at.Add(time.Minute) {
			p.chain = append(p.chain, fake.Mine(p.chain[len(p.chain)-1].BlockHash(), at, bits, 1, 400))
		}
		c.around, c.meddle = p.watch, p.look
		settlers(c, 3, quick, func(i int, has *belongings) {
			switch i {
			case 0:
				has.blocks, has.ahead = p.chain, 3*time.Hour
			case 2:
				has.ahead = 3 * time.Hour
				has.engine = fake.EngineConfig{MaxApply: 4 * time.Second, MaxRead: quick.MaxRead}
			}
		})
		c.wishes = append(c.wishes, wish{"headers and blocks were too new", 0, func() bool { return p.headers > 0 && p.blocks > 0 }})
	},
}

func TestBlocksFromTheFuture(t *testing.T) { try(t, &future) }

// What may pass between the moment from which a block may be known and the moment at which
// it is, and how often chain may be given what is too new. Two peers are asked for headers,
// and announce.
var (
	retry     = netsync.DefaultBounds().TooNewRetry
	untilTold = retry + time.Minute
)

const mostTooNew = 12 // in the time of a retry

// prophet knows which blocks of a chain the others may know.
type prophet struct {
	town            *town
	chain           []*wire.MsgBlock
	right           time.Time // when the third node's clock is put right
	headers, blocks int       // verdicts: they are too new
}

// look puts the third node's clock right. It finds nodes that do not know what they could.
func (p *prophet) look() {
	c := p.town
	if c.Now.Before(p.right) {
		return
	}
	c.nodes[2].store.Ahead = 0
	if c.Now.Sub(sim.Epoch) < 8*time.Minute {
		return // the first blocks are on their way
	}
	known := int32(0)
	for _, b := range p.chain {
		if b.Header.Timestamp.Sub(c.Now.Add(-untilTold)) <= 2*time.Hour {
			known++
		}
	}
	for _, n := range c.up() {
		if has := n.store.Tips().Block.Height; has < known {
			c.accuse(fmt.Errorf("%s is at height %d at %v, and could have known %d for %v", n.Name, has, c.lived(), known, untilTold))
		}
	}
}

// watch puts servers and netsyncs under the prophet's eyes.
func (p *prophet) watch(n *resident, id actor.ID, m actor.Machine) actor.Machine {
	if id != node.Server && id != node.Netsync {
		return m
	}
	return &patient{Machine: m, prophet: p, home: n}
}

// patient is a machine that must not blame anybody for what is too new, nor ask about it
// again and again.
type patient struct {
	actor.Machine
	*prophet
	home  *resident
	times []time.Time // of the last verdicts
}

func (s *patient) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	s.Machine.Step(now, in, out)
	switch b := in.Body.(type) {
	case peer.Gone:
		if b.Fault {
			s.town.accuse(fmt.Errorf("%s blames %v: %s", s.home.Name, b.Remote, b.Reason))
		}
	case chain.HeadersVerdict:
		s.judged(now, b.Code, &s.headers)
	case chain.Verdict:
		s.judged(now, b.Code, &s.blocks)
	}
}

func (s *patient) judged(now time.Time, code chain.Code, count *int) {
	if code != chain.TooNew {
		return
	}
	*count++
	if s.times = append(s.times, now); len(s.times) <= mostTooNew {
		return
	}
	if since := now.Sub(s.times[0]); since < retry {
		s.town.accuse(fmt.Errorf("%s hears %d times within %v that something is too new", s.home.Name, len(s.times), since))
	}
	s.times = s.times[1:]
}
