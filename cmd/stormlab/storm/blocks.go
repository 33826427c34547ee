package storm

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Blocks is the block storm of btcd's issue #2258. One block connects many
// waiting blocks, and btcd announces all of them from within one handler.
var Blocks = Storm{
	Name: "blocks",
	About: "Bursts of up to 100 blocks, children before parents, from eight peers, while twelve peers flood inv " +
		"and eight connect and leave without pause; --maxpeers=40. The storm of btcd's issue #2258.",
	Args: []string{"--maxpeers=40"}, // makes btcd's channels small
	// The chain is short. The storm makes up to a hundred blocks a second, and no
	// block may be from the future.
	Base: Base{Blocks: 120, PerSecond: 6},
	Run:  runBlocks,
}

const (
	blockPushers = 8
	maxBurst     = 100 // as many orphans as btcd keeps
	burstEvery   = time.Second
)

func runBlocks(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	crew.floods(ctx, 12)
	crew.churn(ctx, 8, 5*time.Millisecond)

	bursts := newBroadcast[[]*wire.MsgBlock](blockPushers)
	for i := range blockPushers {
		crew.connected(ctx, 1, 100*time.Millisecond, "pusher", func(conn *p2p.Conn, _ *rand.Rand) {
			for {
				select {
				case <-ctx.Done():
					return
				case burst := <-bursts.to[i]:
					if pushShare(conn, r, burst, i) != nil {
						return
					}
				}
			}
		})
	}
	crew.add(1, func(rng *rand.Rand) {
		for wait.Sleep(ctx, burstEvery) {
			bursts.send(r.Feed.Extend(maxBurst/2 + rng.IntN(maxBurst/2+1)))
		}
	})
	crew.Wait()
}

// pushShare sends every blockPushers-th block of a burst, the youngest first.
// The oldest block, on which all others wait, comes last.
func pushShare(conn *p2p.Conn, r *Rig, burst []*wire.MsgBlock, share int) error {
	for i := len(burst) - 1 - share; i >= 0; i -= blockPushers {
		if err := conn.Send(burst[i]); err != nil {
			return err
		}
		r.Load.Blocks.Add(1)
	}
	return nil
}

// floods has n peers announce transactions that do not exist: up to 200
// messages a second each, with three items.
func (c *crew) floods(ctx context.Context, n int) {
	c.connected(ctx, n, 100*time.Millisecond, "flood", func(conn *p2p.Conn, rng *rand.Rand) {
		for {
			msgs := make([]wire.Message, 20)
			for i := range msgs {
				msgs[i] = nonsense(rng, 3)
			}
			if conn.Send(msgs...) != nil {
				return
			}
			c.r.Load.Messages.Add(int64(len(msgs)))
			if !wait.Sleep(ctx, 5*time.Millisecond) {
				return
			}
		}
	})
}

// nonsense announces n transactions that do not exist.
func nonsense(rng *rand.Rand, n int) *wire.MsgInv {
	msg := wire.NewMsgInvSizeHint(uint(n))
	for range n {
		item := &wire.InvVect{Type: wire.InvTypeTx}
		for j := range item.Hash {
			item.Hash[j] = byte(rng.Uint32())
		}
		msg.AddInvVect(item)
	}
	return msg
}

// broadcast gives each receiver the latest value. A slow receiver misses older
// ones.
type broadcast[T any] struct {
	mu sync.Mutex
	to []chan T
}

func newBroadcast[T any](n int) *broadcast[T] {
	b := &broadcast[T]{to: make([]chan T, n)}
	for i := range b.to {
		b.to[i] = make(chan T, 1)
	}
	return b
}

func (b *broadcast[T]) send(v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.to {
		select {
		case <-ch:
		default:
		}
		ch <- v // there is room, because only send fills it
	}
}
