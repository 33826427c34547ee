package pool

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// ledger is a chain that believes every block. It has the outputs that btcd's chain
// would have.
type ledger struct {
	unspent  map[wire.OutPoint]made
	blocks   []*btcutil.Block
	undo     [][]made // what each block has spent
	noSegwit bool
	broken   error
	made     uint32
}

type made struct {
	tx     *btcutil.Tx
	index  uint32
	height int32
}

const firstHeight = 200

var start = time.Unix(1_700_000_000, 0)

func (l *ledger) height() int32 { return firstHeight + int32(len(l.blocks)) }

func (l *ledger) FetchUtxoView(t *btcutil.Tx) (*blockchain.UtxoViewpoint, error) {
	view := blockchain.NewUtxoViewpoint()
	look := func(out wire.OutPoint) {
		if m, ok := l.unspent[out]; ok {
			view.AddTxOut(m.tx, m.index, m.height)
		}
	}
	for i := range t.MsgTx().TxOut {
		look(wire.OutPoint{Hash: *t.Hash(), Index: uint32(i)})
	}
	for _, in := range t.MsgTx().TxIn {
		look(in.PreviousOutPoint)
	}
	return view, l.broken
}

func (l *ledger) IsDeploymentActive(uint32) (bool, error) { return !l.noSegwit, nil }

func (l *ledger) BestSnapshot() *blockchain.BestState {
	return &blockchain.BestState{Height: l.height(), MedianTime: start.Add(time.Duration(len(l.blocks)) * 10 * time.Minute)}
}

// CalcSequenceLock knows locks by height alone.
func (l *ledger) CalcSequenceLock(t *btcutil.Tx, view *blockchain.UtxoViewpoint, _ bool) (*blockchain.SequenceLock, error) {
	lock := &blockchain.SequenceLock{Seconds: -1, BlockHeight: -1}
	for _, in := range t.MsgTx().TxIn {
		if t.MsgTx().Version >= 2 && in.Sequence&wire.SequenceLockTimeDisabled == 0 {
			at := min(view.LookupEntry(in.PreviousOutPoint).BlockHeight(), l.height()+1)
			lock.BlockHeight = max(lock.BlockHeight, at+int32(in.Sequence&wire.SequenceLockTimeMask)-1)
		}
	}
	return lock, nil
}

// connect adds a block with transactions to the chain.
func (l *ledger) connect(txs ...*wire.MsgTx) *btcutil.Block {
	l.made++
	coinbase := wire.NewMsgTx(1)
	script := binary.LittleEndian.AppendUint32(nil, l.made)
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}, SignatureScript: script})
	coinbase.AddTxOut(&wire.TxOut{Value: 50e8, PkScript: anyone})
	msg := &wire.MsgBlock{Transactions: append([]*wire.MsgTx{coinbase}, txs...)}
	block := btcutil.NewBlock(msg)
	var spent []made
	l.blocks = append(l.blocks, block)
	for i, t := range block.Transactions() {
		for _, in := range t.MsgTx().TxIn {
			if m, ok := l.unspent[in.PreviousOutPoint]; ok && i > 0 {
				spent = append(spent, m)
				delete(l.unspent, in.PreviousOutPoint)
			}
		}
		l.add(t)
	}
	l.undo = append(l.undo, spent)
	return block
}

func (l *ledger) add(t *btcutil.Tx) {
	for i := range t.MsgTx().TxOut {
		l.unspent[wire.OutPoint{Hash: *t.Hash(), Index: uint32(i)}] = made{t, uint32(i), l.height()}
	}
}

// disconnect takes the last block away.
func (l *ledger) disconnect() *btcutil.Block {
	last := len(l.blocks) - 1
	block := l.blocks[last]
	for _, t := range block.Transactions() {
		for i := range t.MsgTx().TxOut {
			delete(l.unspent, wire.OutPoint{Hash: *t.Hash(), Index: uint32(i)})
		}
	}
	for _, m := range l.undo[last] {
		if m.height <= firstHeight+int32(last) { // not of the block itself
			l.unspent[wire.OutPoint{Hash: *m.tx.Hash(), Index: m.index}] = m
		}
	}
	l.blocks, l.undo = l.blocks[:last], l.undo[:last]
	return block
}

// anyone is an output that anyone can spend with opener, in standard form.
var (
	opener = []byte{txscript.OP_TRUE}
	anyone = payTo(opener)
)

// payTo is P2WSH.
func payTo(script []byte) []byte {
	hash := sha256.Sum256(script)
	return append([]byte{txscript.OP_0, 32}, hash[:]...)
}

// rig is a pool under test.
type rig struct {
	t      testing.TB
	chain  *ledger
	pool   *Pool
	now    time.Time
	events []chain.TxEvent
}

func newRig(t testing.TB, cfg Config) *rig {
	r := &rig{t: t, chain: &ledger{unspent: map[wire.OutPoint]made{}}, now: start}
	cfg.Chain = r.chain
	cfg.Params = &chaincfg.RegressionNetParams
	cfg.SigCache, cfg.HashCache = txscript.NewSigCache(1000), txscript.NewHashCache(1000)
	cfg.Now = func() time.Time { return r.now }
	if cfg.MinRelayFee == 0 {
		cfg.MinRelayFee = DefaultMinRelayFee
	}
	r.pool = New(cfg)
	return r
}

// coin is an output to spend.
type coin struct {
	out   wire.OutPoint
	value int64
}

// coins makes confirmed outputs of a value.
func (r *rig) coins(n int, value int64) []coin { return r.coinsOf(n, value, anyone) }

func (r *rig) coinsOf(n int, value int64, script []byte) []coin {
	r.chain.made++
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: r.chain.made}})
	for range n {
		tx.AddTxOut(&wire.TxOut{Value: value, PkScript: script})
	}
	r.chain.add(btcutil.NewTx(tx))
	return outputs(tx)
}

func outputs(tx *wire.MsgTx) (list []coin) {
	hash := tx.TxHash()
	for i, out := range tx.TxOut {
		list = append(list, coin{wire.OutPoint{Hash: hash, Index: uint32(i)}, out.Value})
	}
	return list
}

// spend makes a transaction that spends coins, pays a fee, and splits the rest into n
// outputs.
func spend(fee int64, n int, coins ...coin) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	rest := -fee
	for _, c := range coins {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: c.out, Witness: wire.TxWitness{opener}, Sequence: wire.MaxTxInSequenceNum})
		rest += c.value
	}
	for range n {
		tx.AddTxOut(&wire.TxOut{Value: rest / int64(n), PkScript: anyone})
	}
	tx.TxOut[0].Value += rest % int64(n)
	return tx
}

// offer offers a transaction and collects what happened.
func (r *rig) offer(o Offer) chain.TxVerdict {
	r.t.Helper()
	v, err := r.pool.Accept(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.events = append(r.events, r.pool.TakeEvents()...)
	return v
}

// accept offers transactions that must be accepted.
func (r *rig) accept(txs ...*wire.MsgTx) {
	r.t.Helper()
	for i, tx := range txs {
		if v := r.offer(Offer{Tx: tx}); v.Code != chain.TxOK {
			r.t.Fatalf("transaction %d of %d: %+v", i, len(txs), v)
		}
	}
}

// refused offers a transaction that must be refused.
func (r *rig) refused(tx *wire.MsgTx, code chain.TxCode, reason, why string) {
	r.t.Helper()
	before := r.pool.Info()
	v := r.offer(Offer{Tx: tx})
	if v.Code != code || v.Reason != reason {
		r.t.Errorf("%s: %v %q (%s), want %v %q", why, v.Code, v.Reason, v.Detail, code, reason)
	}
	if after := r.pool.Info(); after != before && code != chain.TxOK {
		r.t.Errorf("%s: a refusal has changed the pool from %+v to %+v", why, before, after)
	}
}

// block connects a block with transactions.
func (r *rig) block(txs ...*wire.MsgTx) {
	r.t.Helper()
	r.pool.Connected(r.chain.connect(txs...))
	r.settle()
}

// reorg takes n blocks away and connects others.
func (r *rig) reorg(n int, blocks ...[]*wire.MsgTx) {
	r.t.Helper()
	for range n {
		r.pool.Disconnected(r.chain.disconnect())
	}
	for _, txs := range blocks {
		r.pool.Connected(r.chain.connect(txs...))
	}
	r.settle()
}

func (r *rig) settle() {
	r.t.Helper()
	if err := r.pool.Settle(); err != nil {
		r.t.Fatal(err)
	}
	r.events = append(r.events, r.pool.TakeEvents()...)
}

// take returns what has happened since the last call, in short.
func (r *rig) take() (events []string) {
	for _, e := range r.events {
		switch e := e.(type) {
		case chain.TxAccepted:
			s := "accepted"
			for _, tx := range e.Txs {
				s += " " + short(tx.ID.TxID)
			}
			events = append(events, s)
		case chain.TxRemoved:
			s := e.Reason.String()
			for _, id := range e.Txs {
				s += " " + short(id.TxID)
			}
			events = append(events, s)
		case chain.TxConfirmed:
			s := "confirmed"
			for _, id := range e.Txs {
				s += " " + short(id.TxID)
			}
			events = append(events, s)
		}
	}
	r.events = nil
	return events
}

func short(hash chainhash.Hash) string { return hash.String()[:6] }

func name(tx *wire.MsgTx) string { return short(tx.TxHash()) }

func (r *rig) has(tx *wire.MsgTx) bool {
	return r.pool.Tx(chain.GetPoolTx{TxID: tx.TxHash()}).Tx != nil
}

func (r *rig) want(why string, in []*wire.MsgTx, out ...*wire.MsgTx) {
	r.t.Helper()
	for i, tx := range in {
		if !r.has(tx) {
			r.t.Errorf("%s: transaction %d (%s) is not in the pool", why, i, name(tx))
		}
	}
	for i, tx := range out {
		if r.has(tx) {
			r.t.Errorf("%s: transaction %d (%s) is in the pool", why, i, name(tx))
		}
	}
	check(r.t, r.pool)
}

const alice, bob actor.ID = 1, 2

// coinOf makes a confirmed output with a script.
func (r *rig) coinOf(value int64, script []byte) coin { return r.coinsOf(1, value, script)[0] }

// pays has a transaction spend an output with a script by a signature script.
func (r *rig) pays(tx *wire.MsgTx, script, sig []byte) {
	c := r.coinOf(10_000_000, script)
	tx.TxIn[0] = &wire.TxIn{PreviousOutPoint: c.out, SignatureScript: sig, Sequence: wire.MaxTxInSequenceNum}
}

func payToHash(redeem []byte) []byte {
	return append(append([]byte{txscript.OP_HASH160, 20}, address.Hash160(redeem)...), txscript.OP_EQUAL)
}

func push(data []byte) []byte {
	script, err := txscript.NewScriptBuilder().AddData(data).Script()
	if err != nil {
		panic(err)
	}
	return script
}

// multisig wants some of many keys.
func multisig(some, of int) []byte {
	b := txscript.NewScriptBuilder().AddInt64(int64(some))
	key, _ := btcec.PrivKeyFromBytes([]byte{1})
	for range of {
		b.AddData(key.PubKey().SerializeCompressed())
	}
	script, err := b.AddInt64(int64(of)).AddOp(txscript.OP_CHECKMULTISIG).Script()
	if err != nil {
		panic(err)
	}
	return script
}

// sign signs an input that spends P2WPKH.
func sign(t testing.TB, tx *wire.MsgTx, input int, value int64, script []byte, key *btcec.PrivateKey) {
	t.Helper()
	hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(script, value))
	witness, err := txscript.WitnessSignature(tx, hashes, input, value, script, txscript.SigHashAll, key, true)
	if err != nil {
		t.Fatal(err)
	}
	tx.TxIn[input].Witness = witness
}
