package pool

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"acyclic/chain"
)

// Whatever is accepted, replaced, evicted, confirmed, given back and expired: the
// index is that of its transactions, each of which a block could have next, and who
// follows the events knows the pool.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{rig: newRig(t, Config{MaxBytes: 7_000}), known: map[chainhash.Hash]bool{}}
		h.free = h.coins(6, 10_000_000)
		rt.Repeat(map[string]func(*rapid.T){
			"accept":     h.offerOne,
			"another":    h.offerOne,
			"again":      h.offerAgain,
			"prioritise": h.prioritise,
			"block":      h.mine,
			"reorganise": h.reorganise,
			"wait":       h.wait,
			"":           h.check,
		})
	})
}

type history struct {
	*rig
	free  []coin // all outputs that there have ever been
	txs   []*wire.MsgTx
	known map[chainhash.Hash]bool // what the events say is in the pool
}

// offerOne offers a transaction that spends any outputs, spent or not.
func (h *history) offerOne(t *rapid.T) {
	coins := rapid.SliceOfNDistinct(rapid.SampledFrom(h.free), 1, 2, func(c coin) wire.OutPoint { return c.out }).Draw(t, "coins")
	tx := spend(rapid.Int64Range(0, 20_000).Draw(t, "fee"), rapid.IntRange(1, 3).Draw(t, "outputs"), coins...)
	tx.TxIn[0].Sequence -= uint32(rapid.IntRange(0, 1).Draw(t, "final"))
	tx.LockTime = uint32(rapid.IntRange(0, int(h.chain.height())).Draw(t, "lock"))
	v := h.offer(Offer{Tx: tx, Orphan: rapid.Bool().Draw(t, "orphan"), Test: rapid.Bool().Draw(t, "test")})
	if v.Code == chain.TxInvalid && v.Reason != "bad-txns-spends-conflicting-tx" && v.Reason != "bad-txns-in-belowout" && v.Reason != "bad-txns-vout-negative" {
		t.Fatalf("a valid transaction is called invalid: %+v", v)
	}
	h.txs = append(h.txs, tx)
	if v.Code != chain.TxInvalid && tx.TxOut[0].Value > 100_000 {
		h.free = append(h.free, outputs(tx)...)
	}
}

// offerAgain offers an old one, which may be the parent of an orphan.
func (h *history) offerAgain(t *rapid.T) {
	if len(h.txs) > 0 {
		h.offer(Offer{Tx: rapid.SampledFrom(h.txs).Draw(t, "tx")})
	}
}

func (h *history) prioritise(t *rapid.T) {
	if len(h.txs) > 0 {
		tx := rapid.SampledFrom(h.txs).Draw(t, "tx")
		h.pool.Prioritise(tx.TxHash(), rapid.Int64Range(-5000, 5000).Draw(t, "delta"))
	}
}

// some chooses from the pool what a block may have, parents first.
func (h *history) some(t *rapid.T) (txs []*wire.MsgTx) {
	for _, tx := range h.pool.Template(h.chain.height()+1, h.now) {
		if !slices.ContainsFunc(tx.Depends, func(i int) bool { return i >= len(txs) }) && rapid.Bool().Draw(t, "mine") {
			txs = append(txs, tx.Tx)
			continue
		}
		break
	}
	return txs
}

// mine connects a block with some of the pool, or with a rival of it.
func (h *history) mine(t *rapid.T) {
	txs := h.some(t)
	if rapid.Bool().Draw(t, "rival") {
		for _, c := range h.free {
			if _, ok := h.chain.unspent[c.out]; ok && !slices.ContainsFunc(txs, func(tx *wire.MsgTx) bool { return spends(tx, c.out) }) {
				txs = append(txs, spend(1, 1, c))
				break
			}
		}
	}
	h.block(txs...)
}

func spends(tx *wire.MsgTx, out wire.OutPoint) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return in.PreviousOutPoint == out })
}

func (h *history) reorganise(t *rapid.T) {
	n := rapid.IntRange(0, min(3, len(h.chain.blocks))).Draw(t, "blocks")
	var again [][]*wire.MsgTx
	for i := len(h.chain.blocks) - n; i < len(h.chain.blocks); i++ {
		var txs []*wire.MsgTx
		if rapid.Bool().Draw(t, "same") && len(again) == i-(len(h.chain.blocks)-n) && !slices.ContainsFunc(again, func(b []*wire.MsgTx) bool { return b == nil }) {
			txs = append([]*wire.MsgTx{}, h.chain.blocks[i].MsgBlock().Transactions[1:]...)
		}
		again = append(again, txs)
	}
	h.reorg(n, again...)
}

func (h *history) wait(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
}

func (h *history) check(t *rapid.T) {
	for _, c := range complaints(h.pool) {
		t.Error(c)
	}
	h.follow(t)
	// Every transaction could be in the next block after those before it.
	have := map[wire.OutPoint]bool{}
	for _, tx := range h.pool.List().Txs {
		e := h.pool.index.byTxID[tx.ID.TxID]
		for _, in := range e.tx.TxIn {
			_, confirmed := h.chain.unspent[in.PreviousOutPoint]
			if !confirmed && !have[in.PreviousOutPoint] {
				t.Errorf("%s spends what is not there", name(e.tx))
			}
		}
		for _, c := range outputs(e.tx) {
			have[c.out] = true
		}
	}
}

// follow keeps a list by the events alone.
func (h *history) follow(t *rapid.T) {
	for _, event := range h.events {
		switch e := event.(type) {
		case chain.TxAccepted:
			for _, tx := range e.Txs {
				if h.known[tx.ID.TxID] {
					t.Errorf("%s is accepted twice", short(tx.ID.TxID))
				}
				h.known[tx.ID.TxID] = true
			}
		case chain.TxRemoved:
			for _, id := range e.Txs {
				if !h.known[id.TxID] {
					t.Errorf("%s is removed (%v) and was not there", short(id.TxID), e.Reason)
				}
				delete(h.known, id.TxID)
			}
		}
	}
	h.events = nil
	if len(h.known) != len(h.pool.index.byTxID) {
		t.Errorf("by the events there are %d, and in the pool %d", len(h.known), len(h.pool.index.byTxID))
	}
	for txid := range h.known {
		if !h.pool.has(txid) {
			t.Errorf("by the events %s is in the pool", short(txid))
		}
	}
}
