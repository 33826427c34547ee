package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/adapters/rpc/commands"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/golden"
	"acyclic/netsync"
	"acyclic/server"
)

func indent(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b.String() + "\n"
}

// The shape of every object that a command returns is kept in a file.
func TestShapes(t *testing.T) {
	r := newRig(t, 1, Config{})
	hash := best.BlockHash().String()
	for _, c := range []struct{ file, method, params string }{
		{"getblockheader.json", "getblockheader", `["` + hash + `"]`},
		{"getblock_1.json", "getblock", `["` + hash + `"]`},
		{"getblock_2.json", "getblock", `["` + hash + `",2]`},
		{"getblock_3.json", "getblock", `["` + hash + `",3]`},
		{"getblock_genesis.json", "getblock", `["` + chaincfg.RegressionNetParams.GenesisHash.String() + `",true]`},
		{"getblockchaininfo.json", "getblockchaininfo", `[]`},
		{"getpeerinfo.json", "getpeerinfo", `[]`},
		{"getnetworkinfo.json", "getnetworkinfo", `[]`},
		{"getmempoolinfo.json", "getmempoolinfo", `[]`},
		{"getmempoolentry.json", "getmempoolentry", `["` + child.TxHash().String() + `"]`},
		{"getrawmempool_verbose.json", "getrawmempool", `[true]`},
		{"getrawmempool_sequence.json", "getrawmempool", `[false,true]`},
		{"getrawtransaction_pool.json", "getrawtransaction", `["` + parent.TxHash().String() + `",2]`},
		{"getrawtransaction_block.json", "getrawtransaction", `["` + spend.TxHash().String() + `",true,"` + hash + `"]`},
		{"getblocktemplate.json", "getblocktemplate", `[{"rules":["segwit"]}]`},
		{"gettxout.json", "gettxout", `["` + spend.TxHash().String() + `",0]`},
		{"savemempool.json", "savemempool", `[]`},
		{"getmailboxes.json", "getmailboxes", `[]`},
		{"getstatus.json", "getstatus", `[]`},
		{"getwaitgraph.json", "getwaitgraph", `[]`},
	} {
		result, failure := r.call(c.method, c.params)
		if failure != "" {
			t.Errorf("%s: %s", c.method, failure)
			continue
		}
		golden.Equal(t, filepath.Join("testdata", c.file), []byte(indent(t, result)))
	}
	text, _ := r.call("help", "[]")
	var plain string
	_ = json.Unmarshal([]byte(text), &plain)
	golden.Equal(t, filepath.Join("testdata", "help.txt"), []byte(plain+"\n"))
}

func TestResults(t *testing.T) {
	r := newRig(t, 1, Config{})
	hash := `"` + best.BlockHash().String() + `"`
	r.want("getblockcount", "[]", "170")
	r.want("getbestblockhash", "[]", hash)
	r.want("getblockhash", "[170]", hash)
	r.want("getblockhash", `{"height":170}`, hash)
	r.want("getblockhash", `{"args":[170]}`, hash)
	r.want("getblock", `[`+hash+`,0]`, `"`+strings.TrimSpace(fileText(t, "spend.hex"))+`"`)
	r.want("getblock", `[`+hash+`,false]`, `"`+strings.TrimSpace(fileText(t, "spend.hex"))+`"`)
	r.want("getblockheader", `[`+hash+`,false]`, `"`+fileText(t, "spend.hex")[:160]+`"`)
	r.want("getconnectioncount", "[]", "3")
	r.want("uptime", "[]", "90")
	r.want("help", `["getblockhash"]`, `"getblockhash height\n\nThe hash of the block at a height of the best chain.\n"`)
	r.want("help", `["nonsense"]`, `"help: unknown command: nonsense"`)
	r.want("stop", "[]", `"Acyclic stopping"`)
	<-r.stopped

	header, _ := r.call("getblockheader", `["`+stale.String()+`"]`)
	if !strings.Contains(header, `"confirmations":-1`) {
		t.Errorf("a stale header has -1 confirmations: %s", header)
	}
}

func TestErrorsOfUse(t *testing.T) {
	r := newRig(t, 1, Config{})
	unknown := strings.Repeat("0", 64)
	const usage = "getblockhash height\n\nThe hash of the block at a height of the best chain.\n"
	r.wantError("nonsense", "[]", "-32601 Method not found")
	r.wantError("getblockhash", "[]", "-1 "+usage)
	r.wantError("getblockhash", "[1,2]", "-1 "+usage)
	r.wantError("getblockhash", "[null]", "-1 "+usage)
	r.wantError("getblockhash", `["1"]`, "-3 Wrong type passed:\n{\n    \"Position 1 (height)\": \"JSON value of type string is not of expected type number\"\n}")
	r.wantError("getblockhash", "[1.5]", "-1 JSON integer out of range")
	r.wantError("getblockhash", "[-1]", "-8 Block height out of range")
	r.wantError("getblockhash", "[171]", "-8 Block height out of range")
	r.wantError("getblockhash", `{"hight":1}`, "-8 Unknown named parameter hight")
	r.wantError("getblockhash", `{"args":[1],"height":2}`, "-8 Parameter height specified twice both as positional and named argument")
	r.wantError("getblock", `["abc"]`, "-8 blockhash must be of length 64 (not 3, for 'abc')")
	r.wantError("getblock", `["`+strings.Repeat("g", 64)+`"]`, "-8 blockhash must be hexadecimal string (not '"+strings.Repeat("g", 64)+"')")
	r.wantError("getblockheader", `["abc"]`, "-8 hash must be of length 64 (not 3, for 'abc')")
	r.wantError("getblock", `["`+unknown+`"]`, "-5 Block not found")
	r.wantError("getblockheader", `["`+unknown+`"]`, "-5 Block not found")
	r.wantError("getblock", `["`+stale.String()+`"]`, "-1 Block not available (not fully downloaded)")
	r.wantError("disconnectnode", `[]`, "-32602 Only one of address and nodeid should be provided.")
	r.wantError("disconnectnode", `["a",1]`, "-32602 Only one of address and nodeid should be provided.")
}

// The server's refusals have Core's codes.
func TestNodes(t *testing.T) {
	r := newRig(t, 1, Config{})
	answer := server.Done{}
	on(r.f, func(server.AddNode) (server.Done, error) { return answer, nil })
	on(r.f, func(server.DisconnectNode) (server.Done, error) { return answer, nil })
	r.want("addnode", `["192.0.2.1","add"]`, "null")
	if q := r.f.asked[len(r.f.asked)-1]; q != (server.AddNode{Command: "add", Addr: "192.0.2.1"}) {
		t.Errorf("asked %+v", q)
	}
	r.want("disconnectnode", `["192.0.2.1:5"]`, "null")
	r.want("disconnectnode", `["",8]`, "null")
	if q := r.f.asked[len(r.f.asked)-1]; q != (server.DisconnectNode{Peer: actor.Child(actor.ID(targets.Server), 8)}) {
		t.Errorf("asked %+v", q)
	}
	for _, c := range []struct {
		err  server.DoneError
		want string
	}{
		{server.AlreadyAdded, "-23 Error: Node already added"},
		{server.NotAdded, "-24 Error: Node could not be removed. It has not been added previously."},
		{server.BadAddress, "-30 Error: Invalid address"},
		{server.Unconnected, "-29 Node not found in connected nodes"},
	} {
		answer.Err = c.err
		r.wantError("addnode", `["192.0.2.1","onetry"]`, c.want)
		r.wantError("disconnectnode", `["192.0.2.1"]`, c.want)
	}
	r.wantError("addnode", `["192.0.2.1","maybe"]`, "-1 "+table["addnode"].Help())
}

func TestSubmitBlock(t *testing.T) {
	r := newRig(t, 1, Config{})
	verdict := chain.Verdict{Code: chain.OK, InBestChain: true}
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		if q.Hash != best.BlockHash() || q.Source != 0 || q.Test {
			t.Errorf("submitted %v from %v", q.Hash, q.Source)
		}
		return verdict, nil
	})
	params := `["` + strings.TrimSpace(fileText(t, "spend.hex")) + `"]`
	r.want("submitblock", params, "null")
	for _, c := range []struct {
		v    chain.Verdict
		want string
	}{
		{chain.Verdict{Code: chain.OK}, `"inconclusive"`},
		{chain.Verdict{Code: chain.Duplicate, Reason: "duplicate"}, `"duplicate"`},
		{chain.Verdict{Code: chain.Orphan}, `"prev-blk-not-found"`},
		{chain.Verdict{Code: chain.Invalid, Reason: "high-hash: 00ff"}, `"high-hash"`},
		{chain.Verdict{Code: chain.Invalid, Reason: "bad-txnmrklroot, hashMerkleRoot mismatch"}, `"bad-txnmrklroot"`},
		{chain.Verdict{Code: chain.TooNew}, `"too-new"`},
	} {
		verdict = c.v
		r.want("submitblock", params, c.want)
	}
	verdict = chain.Verdict{Code: chain.Fatal, Reason: "disk full"}
	r.wantError("submitblock", params, "-25 disk full")
	r.wantError("submitblock", `["zz"]`, "-22 Block decode failed")
	r.wantError("submitblock", `["00"]`, "-22 Block decode failed")
	r.wantError("submitblock", `["`+strings.TrimSpace(fileText(t, "spend.hex"))+`00"]`, "-22 Block decode failed")
	r.wantError("submitblock", `["`+fileText(t, "spend.hex")[:160]+`00"]`, "-22 Block does not start with a coinbase")
}

func TestGenerate(t *testing.T) {
	r := newRig(t, 1, Config{})
	regtest := &chaincfg.RegressionNetParams
	prev := chain.Point{Hash: *regtest.GenesisHash}
	on(r.f, func(q chain.GetTemplate) (chain.Template, error) {
		if !q.Time.Equal(clock) {
			t.Errorf("template for %v", q.Time)
		}
		return chain.Template{Prev: prev, Version: 0x20000000, Bits: regtest.PowLimitBits, MinTime: clock, Subsidy: 50e8}, nil
	})
	var mined []string
	code := chain.OK
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		if decoded(t, q.Payload).Header.PrevBlock != prev.Hash {
			t.Error("the block does not stand on the template's parent")
		}
		prev = chain.Point{Hash: q.Hash, Height: prev.Height + 1}
		mined = append(mined, q.Hash.String())
		return chain.Verdict{Hash: q.Hash, Code: code, Reason: "bad-cb-amount", InBestChain: true}, nil
	})
	const addr = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	got, failure := r.call("generatetoaddress", `[3,"`+addr+`"]`)
	want, _ := json.Marshal(mined)
	if failure != "" || got != string(want) || len(mined) != 3 {
		t.Errorf("mined %s %s, want %s", got, failure, want)
	}
	r.want("generatetoaddress", `[1,"`+addr+`",0]`, "[]")
	r.want("generatetoaddress", `[0,"`+addr+`"]`, "[]")
	r.wantError("generatetoaddress", `[1,"nonsense"]`, "-5 Error: Invalid address")
	r.wantError("generatetoaddress", `[1,"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]`, "-5 Error: Invalid address")
	code = chain.Invalid
	r.wantError("generatetoaddress", `[1,"`+addr+`"]`, "-32603 ProcessNewBlock, block not accepted: bad-cb-amount")
}

// A component that does not answer, is gone, or busy becomes an error that
// names it; the handler is free again at once.
func TestL2QuestionsEnd(t *testing.T) {
	r := newRig(t, 1, Config{})
	for err, want := range map[error]string{
		actor.ErrTimeout: "-1 no answer from chain within 10s (chain.GetTips): it is busy, try again",
		actor.ErrGone:    "-1 chain is restarting or stopping (chain.GetTips): try again",
		actor.ErrBusy:    "-1 chain still works on an earlier question (chain.GetTips): try again",
	} {
		on(r.f, func(chain.GetTips) (chain.Tips, error) { return chain.Tips{}, err })
		r.wantError("getblockcount", "[]", want)
		r.wantError("getblockchaininfo", "[]", want)
	}
	on(r.f, func(chain.GetTips) (chain.Tips, error) { panic("a bug") })
	r.wantError("getblockcount", "[]", "-32603 getblockcount failed: a bug (a bug; the log has the stack)")
	r.want("getconnectioncount", "[]", "3")
}

// Whichever of its questions gets no answer, a command says which it was, asks no more
// and has no result. Only a peer's silence leaves out that peer's figures.
func TestL2EachQuestionMayGetNoAnswer(t *testing.T) {
	r := newRig(t, 2, Config{})
	looks := byte(0)
	on(r.f, func(chain.GetTips) (chain.Tips, error) { // another tip each time: a long poll ends
		looks++
		return chain.Tips{Block: chain.Point{Hash: chainhash.Hash{looks}, Height: 170, Time: clock}}, nil
	})
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		return chain.Verdict{Hash: q.Hash, InBestChain: true}, nil
	})
	on(r.f, func(chain.SubmitTx) (chain.TxVerdict, error) {
		return chain.TxVerdict{Code: chain.TxOK, VSize: 63}, nil
	})
	on(r.f, func(chain.Prioritise) (chain.Prioritised, error) { return chain.Prioritised{}, nil })
	on(r.f, func(server.AddNode) (server.Done, error) { return server.Done{}, nil })
	on(r.f, func(server.DisconnectNode) (server.Done, error) { return server.Done{}, nil })
	tx, block := `"`+child.TxHash().String()+`"`, `"`+best.BlockHash().String()+`"`
	params := map[string][]string{
		"getblock": {block}, "getblockheader": {block}, "getblockhash": {"170"}, "submitblock": {`"` + hexOf(best) + `"`},
		"getrawmempool": {"", "true"}, "getmempoolentry": {tx}, "getmempoolancestors": {tx}, "getmempooldescendants": {tx},
		"gettxout": {tx + ",0"}, "gettxspendingprevout": {`[{"txid":` + tx + `,"vout":0}]`}, "prioritisetransaction": {tx + ",0,1"},
		"getrawtransaction":  {tx, `"` + spend.TxHash().String() + `",1,` + block},
		"sendrawtransaction": {hexText(child), hexText(child) + ",0"}, "testmempoolaccept": {"[" + hexText(child) + "]"},
		"generateblock": {`"` + payTo + `",[` + tx + `]`}, "generatetoaddress": {`1,"` + payTo + `"`},
		"getblocktemplate": {`{"mode":"proposal","data":"` + hexOf(best) + `"}`, `{"rules":["segwit"]}`, `{"rules":["segwit"],"longpollid":1}`},
		"addnode":          {`"192.0.2.1","add"`}, "disconnectnode": {`"192.0.2.1"`},
		"decoderawtransaction": {hexText(child)}, "decodescript": {`"51"`}, "stop": nil,
	}
	for method := range table {
		all, special := params[method]
		if !special {
			all = []string{""}
		}
		for _, args := range all {
			r.unanswered(method, "["+args+"]")
		}
	}
}

// unanswered leaves the first question of a command without an answer, then the second
// one, and so on.
func (r *rig) unanswered(method, args string) {
	r.t.Helper()
	for n := 1; ; n++ {
		r.f.asked, r.f.silent = nil, n
		_, failure := r.call(method, args)
		if len(r.f.asked) < n {
			if failure != "" {
				r.t.Errorf("%s with all answers: %s", method, failure)
			}
			return
		}
		last := fmt.Sprintf("%T", r.f.asked[n-1])
		if last == "peer.GetInfo" {
			continue
		}
		if !strings.HasPrefix(failure, "-1 no answer from ") || !strings.Contains(failure, "("+last+")") || len(r.f.asked) > n {
			r.t.Errorf("%s without an answer to its question %d, %s: %q, and %d more questions", method, n, last, failure, len(r.f.asked)-n)
		}
	}
}

// A result that cannot be JSON is a bug of one command: the client is told, in a
// batch beside the others' results, and the connection lives on.
func TestL11ResultsThatCannotBeJSON(t *testing.T) {
	r := newRig(t, 1, Config{})
	table["broken"] = command{&commands.Command{Name: "broken"}, func(*call, arguments) (any, error) { return make(chan int), nil }}
	t.Cleanup(func() { delete(table, "broken") })
	const failed = "broken failed: rpc: rpc.legacyReply cannot be JSON: json: unsupported type: chan int (a bug; the log has the stack)"
	r.wantError("broken", "[]", "-32603 "+failed)
	_, got := r.post(`[{"id":1,"method":"broken"},{"id":2,"method":"uptime"}]`)
	if want := `[{"result":null,"error":{"code":-32603,"message":"` + failed + `"},"id":1},{"result":90,"error":null,"id":2}]` + "\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Numbers that JSON does not have are null, and what is beside them is told.
func TestNumbersThatAreNone(t *testing.T) {
	r := newRig(t, 1, Config{})
	for _, rate := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		on(r.f, func(netsync.GetStatus) (netsync.Status, error) {
			return netsync.Status{Stalls: 7, BlockRate: rate}, nil
		})
		if got, failure := r.call("getstatus", "[]"); !strings.Contains(got, `"blocks_per_second":null,"headers_per_second":0,"stalls":7`) {
			t.Errorf("a rate of %v: %s %s", rate, got, failure)
		}
	}
	on(r.f, func(chain.GetHeader) (chain.HeaderInfo, error) { return chain.HeaderInfo{}, nil })
	if got, failure := r.call("getblockchaininfo", "[]"); !strings.Contains(got, `"difficulty":null`) {
		t.Errorf("the difficulty of a target that is zero: %s %s", got, failure)
	}
}

// A peer that goes away while the list is made is left out.
func TestPeerGoneMeanwhile(t *testing.T) {
	r := newRig(t, 1, Config{})
	r.f.answer["peer.GetInfo"] = func(actor.ID, any) (any, error) { return nil, actor.ErrGone }
	r.want("getpeerinfo", "[]", "[]")
}

func TestProgressAndDifficulty(t *testing.T) {
	for bits, want := range map[uint32]string{
		0x1d00ffff: "1", 0x207fffff: "4.656542373906925e-10", 0x1b0404cb: "16307.42093852398", 0x17053894: "53911173001054.59",
	} {
		if got, _ := difficulty(bits).MarshalJSON(); string(got) != want {
			t.Errorf("difficulty of %08x is %s, Core says %s", bits, got, want)
		}
	}
	p := &chaincfg.MainNetParams
	tips := func(block, header int32, age time.Duration) chain.Tips {
		return chain.Tips{Block: chain.Point{Height: block}, Header: chain.Point{Height: header, Time: clock.Add(-age)}}
	}
	for _, c := range []struct {
		tips chain.Tips
		want float
	}{
		{tips(0, 0, 0), 1},
		{tips(100, 100, time.Hour), 1},
		{tips(50, 100, time.Hour), 0.5},
		{tips(432, 432, 72*time.Hour), 0.5}, // 72 hours make 432 more likely
	} {
		if got := progress(clock, c.tips, p); got != c.want {
			t.Errorf("%+v: %v, want %v", c.tips, got, c.want)
		}
	}
}

func TestAmountsAndWork(t *testing.T) {
	for n, want := range map[amount]string{0: "0.00000000", 1: "0.00000001", 50e8: "50.00000000", -123456789: "-1.23456789"} {
		if got, _ := n.MarshalJSON(); string(got) != want {
			t.Errorf("%d is %s, want %s", int64(n), got, want)
		}
	}
	if got := chainWork(chain.Work{Hi: 1, Lo: 0xab}); got != strings.Repeat("0", 47)+"1"+"00000000000000ab" {
		t.Errorf("chain work %s", got)
	}
}

// Real blocks with segwit spends and a commitment, shown as Core shows them.
func TestBlockShapes(t *testing.T) {
	for _, name := range []string{"testnet926485", "testnet1263442"} {
		b := readBlock(name + ".hex")
		result := newBlockResult(headerResult{Hash: b.BlockHash().String()}, b, 2, nil, &chaincfg.TestNet3Params)
		golden.Equal(t, filepath.Join("testdata", name+".json"), []byte(indent(t, string(marshal(result)))))
	}
}
