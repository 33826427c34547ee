package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
	"acyclic/server"
)

func TestTemplateRequests(t *testing.T) {
	r := newRig(t, 2, Config{})
	const segwit = `-8 getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})`
	for params, want := range map[string]string{
		`[]`:                                   "-1 " + table["getblocktemplate"].Help(),
		`["x"]`:                                "-3 Wrong type passed:\n{\n    \"Position 1 (template_request)\": \"JSON value of type string is not of expected type object\"\n}",
		`[{}]`:                                 segwit,
		`[{"rules":[]}]`:                       segwit,
		`[{"rules":"segwit"}]`:                 segwit,
		`[{"rules":[1]}]`:                      "-3 rules must be an array of strings",
		`[{"mode":"proposal"}]`:                "-3 Missing data String key for proposal",
		`[{"mode":"proposal","data":1}]`:       "-3 Missing data String key for proposal",
		`[{"mode":"proposal","data":"zz"}]`:    "-22 Block decode failed",
		`[{"mode":"proposals"}]`:               "-8 Invalid mode",
		`[{"mode":1}]`:                         "-8 Invalid mode",
		`[{` + manyFields(maxMembers+1) + `}]`: fmt.Sprintf("-8 A template_request of more than %d fields", maxMembers),
		`[{` + manyFields(maxMembers) + `}]`:   segwit,
		`[{"longpollid":"abc"}]`:               "-8 longpollid must be of length 64 (not 3, for 'abc')",
		`[{"longpollid":"` + strings.Repeat("g", 70) + `"}]`: "-8 longpollid must be hexadecimal string (not '" + strings.Repeat("g", 64) + "')",
	} {
		r.wantError("getblocktemplate", params, want)
	}
	if _, failure := r.call("getblocktemplate", `[{"rules":["segwit","csv"],"mode":"template","capabilities":["x"]}]`); failure != "" {
		t.Error(failure)
	}
	if err := (templateRequest{rules: []string{"segwit"}}).check(&chaincfg.SigNetParams); err == nil || !strings.Contains(err.Error(), `["segwit", "signet"]`) {
		t.Errorf("signet: %v", err)
	}
	if err := (templateRequest{rules: []string{"segwit", "signet"}}).check(&chaincfg.SigNetParams); err != nil {
		t.Error(err)
	}
}

func manyFields(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"%d":0`, i)
	}
	return strings.Join(list, ",")
}

// On signet a template names its rule and its challenge. Its time is never before the
// least one.
func TestTemplatesOfSignet(t *testing.T) {
	r := newRig(t, 1, Config{})
	c := r.direct(t.Context())
	for params, signet := range map[*chaincfg.Params]bool{&chaincfg.SigNetParams: true, &chaincfg.RegressionNetParams: false} {
		c.Params = params
		got := newTemplate(c, chain.Template{MinTime: clock.Add(time.Second)}, 0)
		if slices.Contains(got.Rules, "!signet") != signet || (got.Challenge == hex.EncodeToString(chaincfg.DefaultSignetChallenge)) != signet || got.CurTime != clock.Unix()+1 {
			t.Errorf("%s: %+v", params.Name, got)
		}
	}
}

// On the main network nobody mines what would be lost.
func TestTemplatesOfTheMainNetwork(t *testing.T) {
	r := newRig(t, 1, Config{})
	c := r.direct(t.Context())
	c.Params = &chaincfg.MainNetParams
	request := arguments{json.RawMessage(`{"rules":["segwit"]}`)}
	if _, err := getBlockTemplate(c, request); err == nil || err.Error() != "Acyclic is in initial sync and waiting for blocks..." || asRPCError(err).Code != -10 {
		t.Errorf("%v", err)
	}
	on(r.f, func(chain.GetTips) (chain.Tips, error) {
		return chain.Tips{Block: chain.Point{Time: clock.Add(-maxTipAge)}}, nil
	})
	if _, err := getBlockTemplate(c, request); err != nil {
		t.Error(err)
	}
	for n, name := range map[int]string{1: "server.GetPeers", 2: "chain.GetTips"} {
		r.f.asked, r.f.silent = nil, n
		if _, err := getBlockTemplate(c, request); err == nil || !strings.HasPrefix(err.Error(), "no answer from") || !strings.Contains(err.Error(), name) {
			t.Errorf("without an answer to %s: %v", name, err)
		}
	}
	r.f.silent = 0
	on(r.f, func(server.GetPeers) (server.Peers, error) { return server.Peers{}, nil })
	if _, err := getBlockTemplate(c, request); err == nil || err.Error() != "Acyclic is not connected!" || asRPCError(err).Code != -9 {
		t.Errorf("%v", err)
	}
}

// The commitment that a template offers is the one that btcd demands of its block.
func TestTemplateCommitment(t *testing.T) {
	seen := map[string]bool{}
	for _, txs := range [][]*wire.MsgTx{{parent, child}, {child, parent}} {
		b := buildBlock(chain.Template{Txs: []chain.TemplateTx{{Tx: txs[0]}, {Tx: txs[1]}}}, []byte{0x51}, clock, 1)
		if err := blockchain.ValidateWitnessCommitment(btcutil.NewBlock(b)); err != nil {
			t.Error(err)
		}
		got := witnessCommitment(txs)
		if want := b.Transactions[0].TxOut[1].PkScript; string(got) != string(want) {
			t.Errorf("%x, want %x", got, want)
		}
		if root := blockchain.CalcMerkleRoot(btcutil.NewBlock(b).Transactions(), false); root != b.Header.MerkleRoot {
			t.Errorf("merkle root %v, want %v", b.Header.MerkleRoot, root)
		}
		seen[string(got)] = true
	}
	if len(seen) != 2 {
		t.Error("the order does not matter")
	}
}

// direct is a call of a node whose clock is the test's, without a server.
func (r *rig) direct(ctx context.Context) *call {
	var specs actor.Ports
	return &call{
		Node:  &Node{Ports: Connect(&specs, targets, DefaultWindows()), Targets: targets, Params: &chaincfg.RegressionNetParams, Now: func() time.Time { return clock }},
		ctx:   ctx,
		asker: r.f, polls: make(chan struct{}, 1),
	}
}

// polled is a node whose tip and pool a test changes after a while.
func polled(ctx context.Context, tips, pools time.Duration) *call {
	f := &fake{answer: map[string]func(actor.ID, any) (any, error){}}
	r := &rig{f: f}
	begun := time.Now()
	on(f, func(chain.GetTips) (chain.Tips, error) {
		if time.Since(begun) >= tips {
			return chain.Tips{Block: chain.Point{Hash: chainhash.Hash{2}}}, nil
		}
		return chain.Tips{Block: chain.Point{Hash: chainhash.Hash{1}}}, nil
	})
	on(f, func(chain.GetPoolInfo) (chain.PoolInfo, error) {
		if time.Since(begun) >= pools {
			return chain.PoolInfo{Sequence: 8}, nil
		}
		return chain.PoolInfo{Sequence: 7}, nil
	})
	c := r.direct(ctx)
	c.Now = nil
	return c
}

const never = 1000 * time.Hour

// A long poll ends soon after the best block has changed. When only the pool has, it ends
// after a minute. When nothing has, it goes on.
func TestLongPoll(t *testing.T) {
	known := pollID{chainhash.Hash{1}, 7}
	for _, c := range []struct {
		why               string
		known             pollID
		tips, pools, want time.Duration
	}{
		{"the block is known to be old", pollID{chainhash.Hash{9}, 7}, never, never, 0},
		{"a new block", known, 5 * time.Second, never, 5 * time.Second},
		{"a new block just before the clock asks", known, 5*time.Second + time.Millisecond, never, 5200 * time.Millisecond},
		{"the pool changes at once", known, never, time.Second, time.Minute},
		{"the pool has changed before", pollID{chainhash.Hash{1}, 6}, never, never, time.Minute},
		{"the pool changes late", known, never, 90 * time.Second, 90 * time.Second},
		{"the pool, and then a block", known, 3 * time.Second, time.Second, 3 * time.Second},
		{"whatever is now, until a block", pollID{}, 7 * time.Second, never, 7 * time.Second},
	} {
		bubble.Run(t, func(t *testing.T) {
			begun := time.Now()
			err := awaitNews(polled(t.Context(), c.tips, c.pools), c.known)
			if got := time.Since(begun); err != nil || got != c.want {
				t.Errorf("%s: after %v, %v; want %v", c.why, got, err, c.want)
			}
		})
	}
}

// L8: a long poll ends when the node stops or the client has gone. The next one finds
// room.
func TestL8LongPollsEnd(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		c := polled(ctx, never, never)
		known := pollID{chainhash.Hash{1}, 7}
		for range 2 {
			err := awaitNews(c, known)
			if err == nil || err.Error() != "Shutting down" || asRPCError(err).Code != -9 {
				t.Errorf("%v", err)
			}
		}
	})
}

// L4: long polls take half of the handlers at most. The others go on.
func TestL4LongPollsAreBounded(t *testing.T) {
	r := newRig(t, 2, Config{})
	asked := make(chan struct{}, 1)
	on(r.f, func(chain.GetPoolInfo) (chain.PoolInfo, error) {
		select {
		case asked <- struct{}{}:
		default:
		}
		return chain.PoolInfo{Sequence: 7}, nil
	})
	known := `[{"rules":["segwit"],"longpollid":"` + best.BlockHash().String() + `7"}]`
	first := make(chan string)
	go func() {
		_, failure := r.call("getblocktemplate", known)
		first <- failure
	}()
	<-asked // it waits now
	r.wantError("getblocktemplate", known, "-1 1 long polls wait already; ask without longpollid")
	r.want("getblockcount", "[]", "170")
	on(r.f, func(chain.GetTips) (chain.Tips, error) { return chain.Tips{}, nil })
	if failure := <-first; failure != "" {
		t.Error(failure)
	}
}

// The long poll's id comes back as it was given.
func TestPollID(t *testing.T) {
	want := pollID{chainhash.Hash{1, 2}, 12345}
	for id, want := range map[string]pollID{want.String(): want, chainhash.Hash{3}.String(): {chainhash.Hash{3}, 0}, chainhash.Hash{3}.String() + "x": {chainhash.Hash{3}, 0}} {
		got, err := parsePollID(arguments{marshal(id)}, 0)
		if err != nil || *got != want {
			t.Errorf("%s: %v %v", id, got, err)
		}
	}
	if got, err := parsePollID(arguments{json.RawMessage("5")}, 0); err != nil || *got != (pollID{}) {
		t.Errorf("one that is no string: %v %v", got, err)
	}
}
