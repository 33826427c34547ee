package integration

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/p2p"
	"acyclic/integration/script"
)

// TestChurnLeavesNothingBehind: hundreds of peers and callers come and leave in
// every way. Then the node has as many goroutines and connections as before. If
// any way of leaving left one goroutine behind, it would show.
func TestChurnLeavesNothingBehind(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	const rounds = 40
	chain := newChain(20)
	us := start(t, harness.Options{})
	us.SubmitBlock(chain.Blocks(0)[1])
	before := goroutines(t, us)

	for i := range rounds {
		p := dial(t, us, regtest(fmt.Sprint("guest", i), chain, script.Behaviour{Ask: 10}))
		if i%2 == 0 {
			awaitReady(t, p) // the others leave in mid-handshake
		}
		p.Close()
		for _, words := range []string{"", "not a message of Bitcoin's", string(truncated(t))} {
			visit(t, us.P2P, words)
		}
		visit(t, us.RPC.Addr, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n") // leaves before the answer
		visit(t, us.RPC.Addr, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
		us.Call(nil, "getpeerinfo")
	}

	harness.Eventually(t, harness.Patience, "nobody is left", func() (bool, string) {
		peers, now := us.Peers(), goroutines(t, us)
		return peers == 0 && now <= before, fmt.Sprintf("%d peers, %d goroutines, %d before", peers, now, before)
	})
	us.Stop()
}

// truncated is the beginning of a message.
func truncated(t *testing.T) []byte {
	t.Helper()
	msg := wire.NewMsgGetHeaders()
	msg.AddBlockLocatorHash(&chainhash.Hash{1})
	raw, err := p2p.Encode(msg, wire.TestNet, wire.BaseEncoding)
	if err != nil {
		t.Fatal(err)
	}
	return raw[:len(raw)-10]
}

// visit connects, says something, and hangs up.
func visit(t *testing.T, addr, words string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, harness.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(harness.Patience))
	if _, err := io.WriteString(c, words); err != nil {
		t.Logf("it hung up first: %v", err)
	}
}

var goroutineMetric = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)

// goroutines is how many goroutines the node reports, including the one that
// answers.
func goroutines(t *testing.T, n *harness.Node) int {
	t.Helper()
	body, err := n.RPC.Get(t.Context(), "/metrics")
	m := goroutineMetric.FindSubmatch(body)
	if err != nil || m == nil {
		t.Fatalf("%v %.200q", err, body)
	}
	count, _ := strconv.Atoi(string(m[1]))
	return count
}
