package storm

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// SlowReaders is the storm of peers that ask and never read.
var SlowReaders = Storm{
	Name:  "slow-readers",
	About: "20 peers ask for 48,000 blocks each and never read an answer.",
	Base:  Base{Blocks: 200, Spends: 8}, // blocks of some size
	Run:   runSlowReaders,
}

const (
	slowReaders = 20
	askedBlocks = 48_000
)

func runSlowReaders(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	blocks := r.Feed.hashes()
	dial := func() (*p2p.Conn, error) { return r.Node.Dial(ctx, "deaf") }
	crew.visit(ctx, slowReaders, time.Second, dial, func(conn *p2p.Conn, _ *rand.Rand) {
		conn.DontRead()
		askAndKeepSilent(ctx, conn, r, blocks)
	})
	crew.add(1, func(*rand.Rand) { r.Beat(ctx) })
	crew.Wait()
}

// askAndKeepSilent asks for blocks and reads none. It returns when ctx ends, or
// when a write shows that the node has ended the connection.
func askAndKeepSilent(ctx context.Context, conn *p2p.Conn, r *Rig, blocks []wire.InvVect) {
	msg := wire.NewMsgGetDataSizeHint(askedBlocks)
	for i := range askedBlocks {
		msg.AddInvVect(&blocks[i%len(blocks)])
	}
	for err := conn.Send(msg); err == nil; err = conn.Send(wire.NewMsgPing(1)) {
		r.Load.Messages.Add(1)
		if !wait.Sleep(ctx, 2*time.Second) {
			return
		}
	}
}

// hashes lists every block of the chain, with witnesses.
func (f *Feed) hashes() (items []wire.InvVect) {
	served := f.Served()
	for h := int32(1); h <= served.Height(); h++ {
		items = append(items, wire.InvVect{Type: wire.InvTypeWitnessBlock, Hash: served.HashAt(h)})
	}
	return items
}
