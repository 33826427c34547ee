package engine

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/chain/engine/pool"
)

// anyone is P2WSH of a script that anyone can satisfy.
var (
	opener = []byte{txscript.OP_TRUE}
	anyone = func() []byte {
		hash := sha256.Sum256(opener)
		return append([]byte{txscript.OP_0, 32}, hash[:]...)
	}()
)

// purse is an engine on a chain whose first coinbases are ripe and anyone's.
type purse struct {
	*branch
	e *Engine
}

func newPurse(t testing.TB, cfg Config) *purse {
	params := chaincfg.RegressionNetParams
	cfg.Params = &params
	p := &purse{branch: newBranch(t, &params)}
	gap := 10 * 365 * 24 * time.Hour // P2SH counts from 2012 on
	for range 110 {
		p.mineWith(gap, func(b *wire.MsgBlock) { b.Transactions[0].TxOut[0].PkScript = anyone })
		gap = time.Minute
	}
	p.e = open(t, cfg)
	give(t, p.e, p.blocks[1:]...)
	return p
}

// pay spends a coinbase, by its height.
func (p *purse) pay(height int, fee int64) *wire.MsgTx {
	return spendOf(p.blocks[height].Transactions[0], fee)
}

func spendOf(from *wire.MsgTx, fee int64) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Hash: from.TxHash()}, Witness: wire.TxWitness{opener}, Sequence: wire.MaxTxInSequenceNum,
	})
	tx.AddTxOut(&wire.TxOut{Value: from.TxOut[0].Value - fee, PkScript: anyone})
	return tx
}

func (p *purse) submit(tx *wire.MsgTx) chain.TxApplied {
	p.t.Helper()
	return submit(p.t, p.e, tx)
}

func submit(t testing.TB, e *Engine, tx *wire.MsgTx) chain.TxApplied {
	t.Helper()
	return ask[chain.TxApplied](t, e, chain.ApplyTx{Tx: tx, ID: chain.NameOf(tx), Source: 7, Seen: e.last})
}

// block mines a block with transactions, which need a commitment to their witness
// data.
func (p *purse) block(txs ...*wire.MsgTx) *wire.MsgBlock {
	return p.mineWith(time.Minute, func(b *wire.MsgBlock) {
		b.Transactions = append(b.Transactions, txs...)
		if len(txs) > 0 {
			commit(b)
		}
	})
}

// A transaction's whole life: accepted, looked up, chosen for a block, confirmed, and
// given back by a reorganisation. All events come in order.
func TestATransactionsLife(t *testing.T) {
	p := newPurse(t, Config{})
	a := p.pay(1, 10_000)
	b := spendOf(a, 20_000)
	v := p.submit(a)
	if v.Verdict.Code != chain.TxOK || v.Verdict.Fee != 10_000 || len(v.Events) != 1 {
		t.Fatalf("%+v", v)
	}
	if got := v.Events[0].(chain.TxAccepted).Txs[0]; got.Source != 7 || got.ID.TxID != a.TxHash() {
		t.Errorf("the event is of %+v", got)
	}
	if v := p.submit(b); v.Verdict.Code != chain.TxOK {
		t.Fatalf("%+v", v.Verdict)
	}
	if got := ask[chain.Pool](t, p.e, chain.GetPool{}).Txs; len(got) != 2 || got[0].ID.TxID != a.TxHash() {
		t.Errorf("the pool is %+v", got)
	}
	giveHeaders(t, p.e, p.fork(p.height(), 2).mine(1, time.Minute)...) // outputs are of the best block, not of this
	p.wantTxOuts(a, b)
	made := ask[chain.Made](t, p.e, chain.MakeTemplate{Txs: true, Time: time.Now()})
	if len(made.Txs) != 2 || len(made.Txs[1].Depends) != 1 || made.Txs[0].Fee != 10_000 {
		t.Fatalf("the template has %+v", made.Txs)
	}
	old := p.fork(p.height(), 1)
	got := giveOne(t, p.e, p.block(made.Txs[0].Tx, made.Txs[1].Tx))
	if got.Verdict.Code != chain.OK || len(got.Events) != 3 {
		t.Fatalf("%+v", got)
	}
	_, first := got.Events[0].(chain.BlockConnected)
	gone, second := got.Events[1].(chain.TxRemoved)
	_, third := got.Events[2].(chain.TxConfirmed)
	if !first || !second || !third || gone.Reason != chain.RemovedConfirmed {
		t.Errorf("the events are %+v", got.Events)
	}
	var events []chain.Event
	for _, block := range old.mine(2, time.Minute) {
		events = append(events, giveOne(t, p.e, block).Events...)
	}
	if info := ask[chain.PoolInfo](t, p.e, chain.GetPoolInfo{}); info.Txs != 2 || !info.Loaded {
		t.Errorf("after the reorganisation: %+v", info)
	}
	if last, ok := events[len(events)-1].(chain.TxAccepted); !ok || len(last.Txs) != 2 {
		t.Errorf("the last event is %+v", events[len(events)-1])
	}
}

func (p *purse) wantTxOuts(a, b *wire.MsgTx) {
	p.t.Helper()
	coinbase := p.blocks[1].Transactions[0]
	for _, c := range []struct {
		tx     *wire.MsgTx
		pool   bool
		known  bool
		height int32
	}{{coinbase, false, true, 1}, {coinbase, true, false, 0}, {a, true, false, 0}, {b, true, true, -1}, {b, false, false, 0}} {
		out := wire.OutPoint{Hash: c.tx.TxHash()}
		got := ask[chain.TxOutFound](p.t, p.e, chain.FindTxOut{Out: out, Pool: c.pool})
		if got.Known != c.known || got.Height != c.height || got.Best != p.e.Tips().Block {
			p.t.Errorf("%v, with the pool %v: %+v", out, c.pool, got.TxOut)
		}
	}
}

// An output that a block has spent is not there, though btcd's cache remembers it until it
// has been written.
func TestASpentOutputIsNotThere(t *testing.T) {
	dir := t.TempDir()
	p := newPurse(t, Config{DataDir: dir})
	shut(t, p.e)
	p.e = open(t, Config{DataDir: dir, Params: p.params})
	tx := p.pay(1, 10_000)
	give(t, p.e, p.block(tx))
	for why, c := range map[string]struct {
		tx              *wire.MsgTx
		known, coinBase bool
	}{
		"spent": {p.blocks[1].Transactions[0], false, false}, "made": {tx, true, false}, "as it was": {p.blocks[2].Transactions[0], true, true},
	} {
		got := ask[chain.TxOutFound](t, p.e, chain.FindTxOut{Out: wire.OutPoint{Hash: c.tx.TxHash()}})
		if got.Known != c.known || got.CoinBase != c.coinBase {
			t.Errorf("%s: %+v", why, got.TxOut)
		}
	}
}

// No setting of the lowest fee rate means Core's, and FreeRelay none.
func TestTheLowestFeeRate(t *testing.T) {
	for set, want := range map[int64]int64{0: pool.DefaultMinRelayFee, FreeRelay: 0, 5000: 5000} {
		e := open(t, Config{Params: &chaincfg.RegressionNetParams, Pool: PoolConfig{MinRelayFee: set}})
		if got := ask[chain.PoolInfo](t, e, chain.GetPoolInfo{}).MinRelayFee; got != want {
			t.Errorf("set to %d it is %d, want %d", set, got, want)
		}
	}
}

// What a real chain says about locks and young coinbases.
func TestARealChainsRules(t *testing.T) {
	p := newPurse(t, Config{})
	young, locked := p.pay(50, 1000), p.pay(2, 1000)
	locked.TxIn[0].Sequence = 1000
	for tx, want := range map[*wire.MsgTx]string{young: "bad-txns-premature-spend-of-coinbase", locked: "non-BIP68-final"} {
		if v := p.submit(tx).Verdict; v.Code != chain.TxEarly || v.Reason != want {
			t.Errorf("%+v, want %q", v, want)
		}
	}
}

// The pool outlives a restart if it had been loaded, and only then.
func TestThePoolIsKept(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{DataDir: dir, Pool: PoolConfig{Persist: true}}
	p := newPurse(t, cfg)
	tx := p.pay(1, 1000)
	p.submit(tx)
	ask[chain.PriorityApplied](t, p.e, chain.ApplyPriority{TxID: tx.TxHash(), Delta: 3})
	if a := ask[chain.PoolWritten](t, p.e, chain.WritePool{}); a.Error == "" {
		t.Error("a pool that was not loaded is written")
	}
	p.e.SetPoolLoaded()
	if a := ask[chain.PoolWritten](t, p.e, chain.WritePool{}); a.Error != "" || a.Path != p.e.PoolPath() {
		t.Errorf("%+v", a.PoolSaved)
	}
	if err := os.Remove(p.e.PoolPath()); err != nil {
		t.Fatal(err)
	}
	shut(t, p.e)
	f, err := pool.OpenFile(p.e.PoolPath())
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Next()
	if err != nil || got.Tx.TxHash() != tx.TxHash() || got.Delta != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := f.Next(); err != io.EOF {
		t.Error(err)
	}
	before, _ := os.ReadFile(p.e.PoolPath())
	cfg.Params = p.params
	shut(t, open(t, cfg)) // nobody has loaded it
	after, _ := os.ReadFile(p.e.PoolPath())
	if string(before) != string(after) {
		t.Error("a pool that was not loaded has taken the place of what was kept")
	}
}

// A closed engine answers with nothing, and does not break.
func TestAClosedPoolAnswers(t *testing.T) {
	p := newPurse(t, Config{})
	tx := p.pay(1, 1000)
	shut(t, p.e)
	if v := p.submit(tx).Verdict; v.Code != chain.TxFatal || v.ID.TxID != tx.TxHash() {
		t.Errorf("%+v", v)
	}
	for _, q := range []any{chain.FindTxOut{}, chain.ApplyPriority{}, chain.WritePool{}} {
		ask[any](t, p.e, q)
	}
	if a := ask[chain.PoolEntries](t, p.e, chain.GetPoolEntries{Which: chain.AllEntries}); a.Known {
		t.Error("a closed pool has entries")
	}
	ask[chain.Spenders](t, p.e, chain.GetSpenders{Outs: []wire.OutPoint{{}}})
	ask[chain.PooledTx](t, p.e, chain.GetPoolTx{TxID: chainhash.Hash{}})
	if _, err := os.Stat(p.e.PoolPath()); !errors.Is(err, os.ErrNotExist) {
		t.Error("a pool that should not be kept was written")
	}
}
