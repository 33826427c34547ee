package storm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/script"
	"acyclic/integration/wait"
)

// Liars is the storm of peers that break their promises.
var Liars = Storm{
	Name: "liars",
	About: "28 peers that lie: a height of a million, empty headers, headers that do not connect, blocks announced and " +
		"not found, silence, death in the middle of a block, hanging up after a few messages; four send headers of " +
		"nowhere.",
	Base: Base{Blocks: 200},
	Run:  runLiars,
}

// lies has the ways to lie. Four peers each tell one.
var lies = []script.Behaviour{
	{Claim: 1_000_000},
	{EmptyHeaders: true, Claim: 5_000},
	{Unconnecting: true},
	{NotFound: true, SendHeaders: true},
	{Silent: true, Claim: 1_000},
	{DieAt: 3},
	{Leave: 3},
}

const liarsEach = 4

func runLiars(ctx context.Context, r *Rig) {
	served := r.Feed.Served()
	var liars []*script.Peer
	for i, lie := range lies {
		for j := range liarsEach {
			liars = append(liars, script.New(script.Config{
				Net: r.Node.Net, Chain: served, Name: fmt.Sprintf("liar%d-%d", i, j), Behaviour: lie,
			}))
		}
	}
	crew := crew{r: r}
	crew.stay(ctx, liars, 200*time.Millisecond)
	crew.connected(ctx, 4, 200*time.Millisecond, "nowhere", func(conn *p2p.Conn, rng *rand.Rand) {
		for range 3 {
			headers := wire.NewMsgHeaders()
			for range 1 + rng.IntN(20) {
				headers.AddBlockHeader(garbage(rng))
			}
			if conn.Send(headers) != nil || !wait.Sleep(ctx, 100*time.Millisecond) {
				return
			}
			r.Load.Messages.Add(1)
		}
	})
	// The chain grows, and the liars announce it as if they had it.
	crew.add(1, func(rng *rand.Rand) {
		for wait.Sleep(ctx, heartbeat) {
			r.Feed.Extend(1 + rng.IntN(3))
			served := r.Feed.Served()
			for _, p := range liars {
				crew.Go(func() { p.Switch(served) }) // ends when the peer is closed, at the latest
			}
		}
	})
	<-ctx.Done()
	for _, p := range liars {
		p.Close()
	}
	crew.Wait()
}

// garbage is a header that no chain has.
func garbage(rng *rand.Rand) *wire.BlockHeader {
	h := &wire.BlockHeader{Version: 4, Timestamp: time.Unix(time.Now().Unix(), 0), Bits: 0x207fffff, Nonce: rng.Uint32()}
	for i := range h.PrevBlock {
		h.PrevBlock[i] = byte(rng.Uint32())
	}
	return h
}
