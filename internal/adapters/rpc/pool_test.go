package rpc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/adapters/rpc/commands"
)

// The pool of the story: a parent, and a child with witness data that spends it. The
// block of the story has spend.
var (
	parent = readBlock("testnet926485.hex").Transactions[1]
	child  = childOf(parent)
	spend  = best.Transactions[1]
)

func childOf(p *wire.MsgTx) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: p.TxHash()}, nil, wire.TxWitness{{1}, {2, 3}}))
	tx.AddTxOut(wire.NewTxOut(12345, []byte{0x51}))
	return tx
}

func poolTx(tx *wire.MsgTx, fee int64) chain.PoolTx {
	return chain.PoolTx{ID: chain.NameOf(tx), Fee: fee, VSize: vsizeOf(tx), Added: clock.Add(-time.Minute)}
}

func entry(tx *wire.MsgTx, fee int64) chain.PoolEntry {
	e := chain.PoolEntry{PoolTx: poolTx(tx, fee), Tx: tx, Weight: 4 * vsizeOf(tx), Height: 170, Modified: fee + 5}
	e.AncestorCount, e.AncestorFees, e.AncestorSize = 1, e.Modified, e.VSize
	e.DescendantCount, e.DescendantFees, e.DescendantSize = 1, e.Modified, e.VSize
	return e
}

// pool answers for a pool of two transactions.
func (r *rig) pool() {
	older, younger := entry(parent, 1000), entry(child, 2000)
	older.DescendantCount, older.SpentBy = 2, []chainhash.Hash{younger.ID.TxID}
	younger.AncestorCount, younger.Depends, younger.Replaceable = 2, []chainhash.Hash{older.ID.TxID}, true
	older.DescendantFees, older.DescendantSize = older.Modified+younger.Modified, older.VSize+younger.VSize
	younger.AncestorFees, younger.AncestorSize = older.DescendantFees, older.DescendantSize
	on(r.f, func(chain.GetPool) (chain.Pool, error) {
		return chain.Pool{Txs: []chain.PoolTx{older.PoolTx, younger.PoolTx}, Sequence: 7}, nil
	})
	on(r.f, func(chain.GetPoolInfo) (chain.PoolInfo, error) {
		return chain.PoolInfo{
			Loaded: true, Txs: 2, VBytes: 300, Usage: 4000, MaxUsage: 300_000_000, Fees: 3000,
			MinFee: 900, MinRelayFee: 1000, Orphans: 1, Sequence: 7,
		}, nil
	})
	on(r.f, func(q chain.GetPoolTx) (chain.PooledTx, error) {
		for _, e := range []chain.PoolEntry{older, younger} {
			if e.ID.TxID == q.TxID {
				return chain.PooledTx{PoolTx: e.PoolTx, Tx: e.Tx}, nil
			}
		}
		return chain.PooledTx{}, nil
	})
	on(r.f, func(q chain.GetPoolEntries) (chain.PoolEntries, error) {
		known := chain.PoolEntries{Known: true}
		switch {
		case q.Which == chain.AllEntries:
			known.Entries = []chain.PoolEntry{older, younger}
		case q.TxID == older.ID.TxID && q.Which == chain.OneEntry, q.TxID == younger.ID.TxID && q.Which == chain.AncestorEntries:
			known.Entries = []chain.PoolEntry{older}
		case q.TxID == younger.ID.TxID && q.Which == chain.OneEntry, q.TxID == older.ID.TxID && q.Which == chain.DescendantEntries:
			known.Entries = []chain.PoolEntry{younger}
		case q.TxID != older.ID.TxID && q.TxID != younger.ID.TxID:
			known.Known = false
		}
		return known, nil
	})
	on(r.f, func(q chain.GetSpenders) (s chain.Spenders, err error) {
		for _, out := range q.Outs {
			var by chainhash.Hash
			if out == (wire.OutPoint{Hash: parent.TxHash()}) {
				by = child.TxHash()
			}
			s.TxIDs = append(s.TxIDs, by)
		}
		return s, nil
	})
	on(r.f, func(chain.SavePool) (chain.PoolSaved, error) { return chain.PoolSaved{Path: "/data/mempool.dat"}, nil })
	on(r.f, func(q chain.GetTxOut) (chain.TxOut, error) {
		out := chain.TxOut{Known: true, Value: spend.TxOut[0].Value, Script: spend.TxOut[0].PkScript, Height: 170, Best: chain.Point{Hash: best.BlockHash(), Height: 171}}
		switch {
		case q.Out == wire.OutPoint{Hash: spend.TxHash()}:
		case q.Out == wire.OutPoint{Hash: child.TxHash()} && q.Pool:
			out.Height = -1
		default:
			return chain.TxOut{}, nil
		}
		return out, nil
	})
	on(r.f, func(q chain.GetTemplate) (chain.Template, error) {
		t := chain.Template{
			Prev: chain.Point{Hash: best.BlockHash(), Height: 170}, Version: 0x20000000, Bits: 0x207fffff,
			MinTime: clock.Add(-time.Hour), Subsidy: 50e8,
		}
		if q.Txs {
			t.Txs = []chain.TemplateTx{
				{Tx: parent, ID: chain.NameOf(parent), Fee: 1000, SigOps: 4, Weight: 4 * vsizeOf(parent)},
				{Tx: child, ID: chain.NameOf(child), Fee: 2000, SigOps: 1, Weight: 4 * vsizeOf(child), Depends: []int{0}},
			}
		}
		return t, nil
	})
}

func TestPool(t *testing.T) {
	r := newRig(t, 1, Config{})
	old, young := `"`+parent.TxHash().String()+`"`, `"`+child.TxHash().String()+`"`
	unknown := `"` + strings.Repeat("0", 64) + `"`
	r.want("getrawmempool", "[]", "["+old+","+young+"]")
	r.want("getmempoolancestors", "["+young+"]", "["+old+"]")
	r.want("getmempoolancestors", "["+old+"]", "[]")
	r.want("getmempooldescendants", "["+old+"]", "["+young+"]")
	r.want("getmempooldescendants", "["+young+",true]", "{}")
	one, _ := r.call("getmempoolentry", "["+old+"]")
	r.want("getmempoolancestors", "["+young+",true]", "{"+old+":"+one+"}")
	for _, command := range []string{"getmempoolentry", "getmempoolancestors", "getmempooldescendants"} {
		r.wantError(command, "["+unknown+"]", "-5 Transaction not in mempool")
		r.wantError(command, `["abc"]`, "-8 txid must be of length 64 (not 3, for 'abc')")
	}
	r.wantError("prioritisetransaction", `["abc",0,1]`, "-8 txid must be of length 64 (not 3, for 'abc')")
	r.wantError("gettxout", `["abc",0]`, "-8 txid must be of length 64 (not 3, for 'abc')")
	r.wantError("getrawmempool", "[true,true]", "-8 Verbose results cannot contain mempool sequence values.")
}

// What an entry depends on and what depends on it is in the order of the ids.
func TestRelativesAreSorted(t *testing.T) {
	some := []chainhash.Hash{{31: 3}, {31: 1}, {31: 2}}
	e := newPoolEntry(chain.PoolEntry{Depends: some, SpentBy: some}, nil)
	if !slices.IsSorted(e.Depends) || !slices.IsSorted(e.SpentBy) || len(e.Depends) != 3 || len(e.SpentBy) != 3 {
		t.Errorf("%v %v", e.Depends, e.SpentBy)
	}
}

// The lowest fee that is taken is never below the fee that is relayed, as in Core.
func TestMinimumFee(t *testing.T) {
	r := newRig(t, 1, Config{})
	for min, want := range map[int64]string{0: "0.00001000", 999: "0.00001000", 5000: "0.00005000"} {
		on(r.f, func(chain.GetPoolInfo) (chain.PoolInfo, error) {
			return chain.PoolInfo{MinFee: min, MinRelayFee: 1000}, nil
		})
		if got, _ := r.call("getmempoolinfo", "[]"); !strings.Contains(got, `"mempoolminfee":`+want+`,`) {
			t.Errorf("with %d: %s, want %s", min, got, want)
		}
	}
}

func TestSpendingPrevout(t *testing.T) {
	r := newRig(t, 1, Config{})
	out := func(tx *wire.MsgTx, n int) string { return fmt.Sprintf(`{"txid":"%v","vout":%d}`, tx.TxHash(), n) }
	spent := strings.TrimSuffix(out(parent, 0), "}") + `,"spendingtxid":"` + child.TxHash().String() + `"}`
	r.want("gettxspendingprevout", `[[`+out(parent, 0)+`,`+out(parent, 1)+`]]`, `[`+spent+`,`+out(parent, 1)+`]`)
	for params, want := range map[string]string{
		`[[]]`:                                   "-8 Invalid parameter, outputs are missing",
		`[[1]]`:                                  "-3 JSON value of type number is not of expected type object",
		`[[{"vout":1}]]`:                         "-3 Missing txid",
		`[[{"txid":"00","vout":"1"}]]`:           "-3 JSON value of type string for field vout is not of expected type number",
		`[[{"txid":"00","vout":1}]]`:             "-8 txid must be of length 64 (not 2, for '00')",
		`[[` + out(parent, -1) + `]]`:            "-8 Invalid parameter, vout cannot be negative",
		`[[{"txid":"00","vout":1,"x":1,"y":2}]]`: "-3 Unexpected key x",
		`["x"]`:                                  "-3 Wrong type passed:\n{\n    \"Position 1 (outputs)\": \"JSON value of type string is not of expected type array\"\n}",
		`[[` + strings.Repeat("1,", 10000) + `1]]`: "-8 Invalid parameter, more than 10000 outputs",
	} {
		r.wantError("gettxspendingprevout", params, want)
	}
}

func TestTxOut(t *testing.T) {
	r := newRig(t, 1, Config{})
	id := func(tx *wire.MsgTx) string { return `"` + tx.TxHash().String() + `"` }
	if got, _ := r.call("gettxout", "["+id(child)+",0]"); !strings.Contains(got, `"confirmations":0,`) {
		t.Errorf("an output of the pool has no confirmations: %s", got)
	}
	r.want("gettxout", "["+id(child)+",0,false]", "null")
	r.want("gettxout", "["+id(spend)+",1]", "null")
	r.wantError("gettxout", "["+id(spend)+",-1]", "-1 JSON integer out of range")
}

func TestPrioritise(t *testing.T) {
	r := newRig(t, 1, Config{})
	var asked chain.Prioritise
	on(r.f, func(q chain.Prioritise) (chain.Prioritised, error) {
		asked = q
		return chain.Prioritised{}, nil
	})
	id := `"` + parent.TxHash().String() + `"`
	for _, params := range []string{"[" + id + ",0,-25]", "[" + id + ",0.0,-25]", "[" + id + ",null,-25]", `{"txid":` + id + `,"fee_delta":-25}`} {
		asked = chain.Prioritise{}
		r.want("prioritisetransaction", params, "true")
		if asked.TxID != parent.TxHash() || asked.Delta != -25 {
			t.Errorf("%s asked %+v", params, asked)
		}
	}
	r.wantError("prioritisetransaction", "["+id+",1,5]", "-8 Priority is no longer supported, dummy argument to prioritisetransaction must be 0.")
	r.wantError("prioritisetransaction", "["+id+",0,2100000000000001]", "-1 JSON integer out of range")
}

// What is not loaded yet is not written over: the file has it still.
func TestSavePool(t *testing.T) {
	r := newRig(t, 1, Config{})
	on(r.f, func(chain.SavePool) (chain.PoolSaved, error) { return chain.PoolSaved{Error: "disk full"}, nil })
	r.wantError("savemempool", "[]", "-1 Unable to dump mempool to disk: disk full")
	on(r.f, func(chain.SavePool) (chain.PoolSaved, error) {
		t.Error("it was written over")
		return chain.PoolSaved{}, nil
	})
	on(r.f, func(chain.GetPoolInfo) (chain.PoolInfo, error) { return chain.PoolInfo{}, nil })
	r.wantError("savemempool", "[]", "-1 The mempool was not loaded yet")
}

// The client sends text as it was typed, and arrays, objects and numbers as JSON.
func TestKindsForTheClient(t *testing.T) {
	for _, c := range []struct {
		name string
		text []bool
	}{
		{"sendrawtransaction", []bool{true, false, false}},
		{"testmempoolaccept", []bool{false, false}},
		{"getblocktemplate", []bool{false}},
		{"generateblock", []bool{true, false, false}},
		{"prioritisetransaction", []bool{true, false, false}},
	} {
		for i, want := range c.text {
			if commands.IsText(c.name, i) != want {
				t.Errorf("argument %d of %s: text is %v", i+1, c.name, !want)
			}
		}
	}
}
