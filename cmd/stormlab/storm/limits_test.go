package storm

import (
	"bytes"
	"context"
	"encoding/hex"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/nodes"
)

// TestTheStormIsAtTheNodesLimits sends by RPC what the pool storm sends, because
// then the node says what it thinks of it. A chain may have 25 transactions, a
// replacement may evict 100. What the listeners are to hear of is valid.
func TestTheStormIsAtTheNodesLimits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	base := Base{Blocks: 110, Coins: 1_000}
	dir := t.TempDir()
	file := filepath.Join(dir, "acyclicd")
	if err := nodes.Build(ctx, ".", nodes.Acyclic.Import, file); err != nil {
		t.Fatal(err)
	}
	n, err := nodes.Acyclic.Start(ctx, file, nodes.Options{Network: base.Network().Name, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Kill()
	feed := NewFeed(n.P2P, base, 1)
	feeding, end := context.WithCancel(ctx)
	var fed sync.WaitGroup
	fed.Go(func() { feed.Run(feeding) })
	defer fed.Wait()
	defer end()
	if err := n.Await(ctx, feed.Height()); err != nil {
		t.Fatal(err)
	}

	offer := func(tx *wire.MsgTx) string {
		var raw bytes.Buffer
		tx.Serialize(&raw)
		const anyFee = 0
		if err := n.RPC.Call(ctx, nil, "sendrawtransaction", hex.EncodeToString(raw.Bytes()), anyFee); err != nil {
			return err.Error()
		}
		return ""
	}
	w := chaingen.NewWallet("stormlab")
	links := chain(w, feed.Coins[0], chainMost+beyond, chainRate)
	for i, tx := range links {
		got := offer(tx)
		if i < chainMost && got != "" {
			t.Errorf("link %d: %s", i, got)
		}
		if i == chainMost && !strings.Contains(got, "too-long-mempool-chain") {
			t.Errorf("link %d beyond the limit: %q", i, got)
		}
	}
	rep := replacement(w, feed.Coins[1:1+roots+1])
	for _, tx := range rep.victims {
		if got := offer(tx); got != "" {
			t.Fatalf("a victim: %s", got)
		}
	}
	if got := offer(rep.tooMany); !strings.Contains(got, "too many potential replacements") {
		t.Errorf("a replacement of %d: %q", (roots+1)*chainMost, got)
	}
	if got := offer(rep.most); got != "" {
		t.Errorf("a replacement of %d: %s", roots*chainMost, got)
	}
}
