package integration

import (
	"fmt"
	"testing"
	"time"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/script"
)

// midSync is a node in the middle of a slow sync from two peers.
type midSync struct {
	us     *harness.Node
	peers  []*script.Peer
	chain  *chaingen.Chain
	height int32 // seen
}

func startMidSync(t *testing.T) midSync {
	t.Helper()
	oursOnly(t)
	const blocks, enough = 1000, 200
	s := midSync{chain: newChain(blocks)}
	var addrs []string
	for _, name := range []string{"a", "b"} {
		p, addr := listen(t, regtest(name, s.chain, script.Behaviour{Latency: 4 * time.Millisecond}))
		s.peers, addrs = append(s.peers, p), append(addrs, addr)
	}
	s.us = start(t, harness.Options{Connect: addrs})
	harness.Eventually(t, harness.Patience, "the sync is on its way", func() (bool, string) {
		s.height = s.us.Height()
		return s.height >= enough, fmt.Sprintf("height %d", s.height)
	})
	if s.height == blocks {
		t.Fatal("the sync was over before it could be stopped")
	}
	return s
}

// sent counts the blocks that the peers have sent.
func (s *midSync) sent() (sent int) {
	for _, p := range s.peers {
		sent += p.Stats().Blocks
	}
	return sent
}

// TestStopInMidSync stops the node by SIGTERM. It keeps what it has, and the
// second run downloads only the rest.
func TestStopInMidSync(t *testing.T) {
	t.Parallel()
	s := startMidSync(t)
	s.us.Stop()

	before := s.sent()
	again := s.us.Again(nil)
	began := again.Height()
	if began < s.height {
		t.Errorf("the second run begins at height %d; the first had %d", began, s.height)
	}
	again.Await(s.chain.Tip(), harness.Patience)

	// The second run downloads again what was on its way or out of order when the
	// first run ended. It does not download connected blocks again.
	const open = 300
	if got, most := s.sent()-before, int(s.chain.Height()-s.height)+open; got > most {
		t.Errorf("the second run was sent %d blocks; at most %d were missing", got, most)
	}
	again.Stop()
}

// TestKilledInMidSync kills the node, so that it cannot put its database in
// order.
func TestKilledInMidSync(t *testing.T) {
	t.Parallel()
	s := startMidSync(t)
	s.us.Kill()
	again := s.us.Again(nil)
	again.Await(s.chain.Tip(), harness.Patience)
	again.Stop()

	t.Log("what was synced is there without any peer")
	alone := again.Again(func(o *harness.Options) { o.Connect = nil })
	if got := alone.BestHash(); got != s.chain.Tip() {
		t.Errorf("the best block is %v, want %v", got, s.chain.Tip())
	}
	alone.Stop()
}
