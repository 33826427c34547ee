package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"acyclic/integration/harness"
	"acyclic/integration/nodes"
	"acyclic/integration/script"
)

// TestRPC calls the node as bitcoin-cli does: with the cookie, one call or a
// batch, and with mistakes.
func TestRPC(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	chain := newChain(120)
	_, addr := listen(t, regtest("source", chain, script.Behaviour{}))
	us := start(t, harness.Options{Connect: []string{addr}, Cookie: true})
	us.Await(chain.Tip(), harness.Patience)

	t.Run("a batch", func(t *testing.T) {
		raw, err := us.RPC.Post(t.Context(), []byte(`[{"id":1,"method":"getblockcount"},{"id":2,"method":"nosuch"},{"id":3,"method":"getbestblockhash"}]`))
		var answers []struct {
			ID     int
			Result any
			Error  *nodes.RPCError
		}
		if err == nil {
			err = json.Unmarshal(raw, &answers)
		}
		if err != nil || len(answers) != 3 {
			t.Fatalf("%s, %v", raw, err)
		}
		if answers[0].Result != 120.0 || answers[1].Error == nil || answers[1].Error.Code != -32601 ||
			answers[2].Result != chain.Tip().String() {
			t.Errorf("%s", raw)
		}
	})

	t.Run("a wrong password", func(t *testing.T) {
		stranger := nodes.RPC{Addr: us.RPC.Addr, User: "__cookie__", Pass: "guess"}
		if err := stranger.Call(t.Context(), nil, "stop"); err == nil || !strings.Contains(err.Error(), fmt.Sprint(http.StatusUnauthorized)) {
			t.Errorf("%v, want status 401", err)
		}
	})

	t.Run("a malformed hash", func(t *testing.T) {
		var refusal *nodes.RPCError
		if err := us.RPC.Call(t.Context(), nil, "getblock", "xyz"); !errors.As(err, &refusal) || refusal.Code != -8 {
			t.Errorf("%v, want code -8", err)
		}
		if err := us.RPC.Call(t.Context(), nil, "getblock", strings.Repeat("0", 64)); !errors.As(err, &refusal) || refusal.Code != -5 {
			t.Errorf("%v, want code -5", err)
		}
	})

	t.Run("the blocks are those that were synced", func(t *testing.T) {
		for _, height := range []int32{0, 1, 119, 120} {
			want := chain.Block(height).BlockHash()
			if got := us.HashAt(height); got != want {
				t.Errorf("height %d: %v, want %v", height, got, want)
			}
			if got := us.Block(want).BlockHash(); got != want {
				t.Errorf("block %v, want %v", got, want)
			}
		}
	})

	t.Run("the peer is shown", func(t *testing.T) {
		var peers []struct {
			Addr          string `json:"addr"`
			SubVer        string `json:"subver"`
			Inbound       bool   `json:"inbound"`
			Connection    string `json:"connection_type"`
			SyncedHeaders int32  `json:"synced_headers"`
			SyncedBlocks  int32  `json:"synced_blocks"`
			BytesRecv     int64  `json:"bytesrecv"`
		}
		harness.Eventually(t, harness.Patience, "the peer is shown with what it has in common with us", func() (bool, string) {
			us.Call(&peers, "getpeerinfo")
			return len(peers) == 1 && peers[0].SyncedHeaders == 120 && peers[0].SyncedBlocks == 120, fmt.Sprintf("%+v", peers)
		})
		p := peers[0]
		if p.Addr != addr || p.SubVer != "/scripted:source/" || p.Inbound || p.Connection != "manual" || p.BytesRecv < 20_000 {
			t.Errorf("%+v", p)
		}
	})
	us.Stop()
}
