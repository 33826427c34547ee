package storm

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStormsEndWithTheirContext runs every storm at three nodes: nobody
// listens, the node is deaf, it hangs up. Each storm ends with its context and
// leaves nothing behind.
func TestStormsEndWithTheirContext(t *testing.T) {
	for name, addr := range map[string]string{
		"nobody listens": nobody(t),
		"deaf":           listener(t, func(net.Conn) {}),
		"hangs up":       listener(t, func(c net.Conn) { c.Close() }),
	} {
		for _, s := range All {
			before := goleak.IgnoreCurrent()
			feed := NewFeed(addr, s.Base, 1)
			r := NewRig(s, p2p.Node{Addr: addr, Net: s.Base.Network().Net}, feed, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			var others sync.WaitGroup
			others.Go(func() { feed.Run(ctx) })
			others.Go(func() { r.Ledger.Listen(ctx, r.Node) })
			others.Go(func() {
				for r.Load.Dials.Load() == 0 && wait.Sleep(ctx, time.Millisecond) {
				}
				wait.Sleep(ctx, 50*time.Millisecond)
				cancel()
			})
			s.Run(ctx, r)
			others.Wait()
			r.Wait()
			if r.Load.Dials.Load() == 0 {
				t.Errorf("%s, %s: the storm has not dialled", s.Name, name)
			}
			if err := goleak.Find(before); err != nil {
				t.Errorf("%s, %s: %v", s.Name, name, err)
			}
		}
	}
}

func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// listener accepts connections and runs f. They live as long as the test.
func listener(t *testing.T, f func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			f(c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
	return l.Addr().String()
}

// TestBurstIsSentOnceYoungestFirst: the shares together are the burst, and each
// share has children before parents.
func TestBurstIsSentOnceYoungestFirst(t *testing.T) {
	const n = 53
	heights := map[*wire.MsgBlock]int{}
	burst := make([]*wire.MsgBlock, n)
	for i := range burst {
		burst[i] = wire.NewMsgBlock(&wire.BlockHeader{Nonce: uint32(i), Timestamp: time.Unix(0, 0)})
		heights[burst[i]] = i
	}
	seen := map[uint32]bool{}
	for share := range blockPushers {
		got := sent(t, func(c *p2p.Conn) { pushShare(c, &Rig{}, burst, share) })
		last := uint32(n)
		for _, block := range got {
			if seen[block.Header.Nonce] || block.Header.Nonce >= last {
				t.Fatalf("share %d: block %d after %d", share, block.Header.Nonce, last)
			}
			last = block.Header.Nonce
			seen[last] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d blocks were sent", len(seen), n)
	}
}

// sent returns the blocks that f sends to a node.
func sent(t *testing.T, f func(*p2p.Conn)) (blocks []*wire.MsgBlock) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	addr := listener(t, func(c net.Conn) { accepted <- c })
	conn, err := p2p.Node{Addr: addr, Net: wire.TestNet}.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f(conn)
	conn.Send(wire.NewMsgVerAck()) // the end
	node := <-accepted
	for {
		msg, _, err := wire.ReadMessage(node, wire.ProtocolVersion, wire.TestNet)
		if err != nil {
			t.Fatal(err)
		}
		block, ok := msg.(*wire.MsgBlock)
		if !ok {
			conn.Close()
			return blocks
		}
		blocks = append(blocks, block)
	}
}

// TestTheLowChainIsOffered: High offers the high chain, Low a lower one, and
// the feed continues from there.
func TestTheLowChainIsOffered(t *testing.T) {
	feed := NewFeed("", Testnet3.Base, 1)
	defer feed.peer.Close()
	base := feed.Height()
	high := feed.High(10)
	if feed.Height() != base+10 || high.Height() != base+10 {
		t.Errorf("the high chain is at %d, offered %d", high.Height(), feed.Height())
	}
	low, blocks, lower := feed.Low()
	if !lower || low.Height() != base+int32(blocks) || feed.Height() != low.Height() || low.Height() >= high.Height() {
		t.Errorf("lower: %v, the low chain is at %d, offered %d", lower, low.Height(), feed.Height())
	}
	if feed.Extend(1); feed.Height() != low.Height()+1 {
		t.Errorf("it goes on at %d", feed.Height())
	}
}

func TestBroadcastKeepsTheLatest(t *testing.T) {
	b := newBroadcast[int](2)
	b.send(1)
	if <-b.to[0] != 1 {
		t.Error("the first has not got 1")
	}
	b.send(2)
	if <-b.to[0] != 2 || <-b.to[1] != 2 {
		t.Error("the second, which was slow, has not got the latest")
	}
}

func TestSameSeedSameChance(t *testing.T) {
	draw := func(seed uint64) (h [3]uint32) {
		rng := (&Rig{Seed: seed}).rng(7)
		for i := range h {
			h[i] = rng.Uint32()
		}
		return h
	}
	if draw(1) != draw(1) || draw(1) == draw(2) {
		t.Error("chance does not follow the seed")
	}
	a, b := garbage(rand.New(rand.NewPCG(1, 1))), garbage(rand.New(rand.NewPCG(1, 1)))
	if a.PrevBlock != b.PrevBlock {
		t.Error("two headers of nowhere from one seed")
	}
}
