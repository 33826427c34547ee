package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

// A body that does not belong to its header says nothing about the header,
// whatever else is wrong with it.
func TestAMutatedBlockDoesNotPoisonItsHeader(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	good := b.mine(1, time.Minute)[0]
	mutants := map[string]struct {
		change func(*wire.MsgBlock)
		reason string
	}{
		"another coinbase":     {func(m *wire.MsgBlock) { m.Transactions[0].TxOut[0].Value-- }, "bad-txnmrklroot"},
		"no transactions":      {func(m *wire.MsgBlock) { m.Transactions = nil }, "bad-txnmrklroot"},
		"no coinbase":          {func(m *wire.MsgBlock) { m.Transactions[0].TxIn[0].PreviousOutPoint.Index = 0 }, "bad-txnmrklroot"},
		"a worthless coinbase": {func(m *wire.MsgBlock) { m.Transactions[0].TxOut = nil }, "bad-txnmrklroot"},
		"the coinbase twice":   {func(m *wire.MsgBlock) { m.Transactions = append(m.Transactions, m.Transactions[0]) }, "bad-txnmrklroot"},
		"witness data":         {func(m *wire.MsgBlock) { m.Transactions[0].TxIn[0].Witness = wire.TxWitness{{1}} }, "unexpected-witness"},
	}
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			e := open(t, Config{Params: b.params})
			bad := &wire.MsgBlock{Header: good.Header, Transactions: []*wire.MsgTx{good.Transactions[0].Copy()}}
			mutant.change(bad)
			v := giveOne(t, e, bad).Verdict
			wantCode(t, v.Code, chain.Mutated, v.Reason, mutant.reason, "the body is not the header's")
			if tips := e.Tips(); tips.Header.Hash != good.BlockHash() {
				t.Error("the header is no longer the best")
			}
			if p := ask[chain.Path](t, e, chain.GetPath{To: good.BlockHash(), Max: 5}); len(p.Missing) != 1 {
				t.Errorf("the block should be asked for again: %+v", p)
			}
			give(t, e, good)
		})
	}
}

// CVE-2012-2459: a block whose last transaction comes twice has the same merkle
// root as the block without the second one.
func TestADuplicatedTransactionIsAMutation(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	spend := func(index uint32) *wire.MsgTx {
		tx := wire.NewMsgTx(1)
		tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(b.params.GenesisHash, index), nil, nil))
		tx.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
		return tx
	}
	plain := b.mineWith(time.Minute, func(m *wire.MsgBlock) { m.Transactions = append(m.Transactions, spend(0), spend(1)) })
	e := open(t, Config{Params: b.params})
	twice := &wire.MsgBlock{Header: plain.Header, Transactions: append(plain.Transactions[:3:3], plain.Transactions[2])}
	v := giveOne(t, e, twice).Verdict
	wantCode(t, v.Code, chain.Mutated, v.Reason, "bad-txns-duplicate", "the same root, another body")
	v = giveOne(t, e, plain).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-txns-inputs-missingorspent", "the real one is looked at")
}

// The second copy may also break a rule that btcd looks at before it looks for
// copies: it makes the block too big. A block that is almost full must not be
// condemned because of it: every block after it would be refused.
func TestAMutationThatIsTooBig(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	big := wire.NewMsgTx(1)
	big.AddTxIn(wire.NewTxIn(wire.NewOutPoint(b.params.GenesisHash, 0), nil, nil))
	big.AddTxOut(wire.NewTxOut(0, make([]byte, 400_000)))
	last := big.Copy()
	last.TxIn[0].PreviousOutPoint.Index = 1
	plain := b.mineWith(time.Minute, func(m *wire.MsgBlock) { m.Transactions = append(m.Transactions, big, last) })
	e := open(t, Config{Params: b.params})
	twice := &wire.MsgBlock{Header: plain.Header, Transactions: append(plain.Transactions[:3:3], last)}
	v := giveOne(t, e, twice).Verdict
	wantCode(t, v.Code, chain.Mutated, v.Reason, "bad-txns-duplicate", "the same root, another body")
	v = giveOne(t, e, plain).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-txns-inputs-missingorspent", "the real one is looked at")
}

// CVE-2017-12842: two hashes of the merkle tree side by side can be read as a
// transaction of 64 bytes, so that a block of them has the root of the real one.
func TestHashesReadAsATransactionAreAMutation(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	block := b.mineWith(time.Minute, func(m *wire.MsgBlock) { m.Transactions = []*wire.MsgTx{sixtyFour(t)} })
	e := open(t, Config{Params: b.params})
	v := giveOne(t, e, block).Verdict
	wantCode(t, v.Code, chain.Mutated, v.Reason, "bad-txnmrklroot", "the real body may be good")
	if len(e.valid.bad) != 0 {
		t.Errorf("condemned: %+v", e.valid.bad)
	}
}

// A coinbase is not made of hashes: nobody can choose as many of their bits. A block
// that has one is the header's, though another transaction has 64 bytes. If it were
// called mutated, it would be downloaded again and again.
func TestATransactionOf64BytesAfterACoinbase(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	block := b.mineWith(time.Minute, func(m *wire.MsgBlock) { m.Transactions = append(m.Transactions, sixtyFour(t)) })
	e := open(t, Config{Params: b.params})
	v := giveOne(t, e, block).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-txns-inputs-missingorspent", "what it spends is not there")
	if len(e.valid.bad) != 1 || e.valid.bad[0].Hash != block.BlockHash() {
		t.Errorf("condemned: %+v", e.valid.bad)
	}
}

// sixtyFour is a transaction as long as two hashes.
func sixtyFour(t *testing.T) *wire.MsgTx {
	t.Helper()
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{1}, 0), nil, nil))
	tx.AddTxOut(wire.NewTxOut(0, []byte{0x51, 0x51, 0x51, 0x51}))
	if n := tx.SerializeSizeStripped(); n != 64 {
		t.Fatalf("the transaction has %d bytes", n)
	}
	return tx
}

func TestBlocksComeAfterTheirParents(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(3, time.Minute)
	e := open(t, Config{Params: b.params})
	v := giveOne(t, e, b.blocks[2]).Verdict
	wantCode(t, v.Code, chain.Orphan, v.Reason, "prev-blk-not-found", "not even the parent's header is known")
	giveHeaders(t, e, b.blocks[1:]...)
	v = giveOne(t, e, b.blocks[2]).Verdict
	wantCode(t, v.Code, chain.Orphan, v.Reason, "prev-blk-not-found", "the parent's block is missing")
	hash := b.blocks[2].BlockHash()
	if e.chain.IsKnownOrphan(&hash) {
		t.Error("btcd keeps an orphan")
	}
	give(t, e, b.blocks[1:]...)
	v = giveOne(t, e, b.blocks[2]).Verdict
	wantCode(t, v.Code, chain.Duplicate, v.Reason, "duplicate", "the block again")
	if !v.InBestChain || v.Tip.Height != 3 {
		t.Errorf("the verdict is %+v", v)
	}
}

// btcd takes a header that is older than the checkpoint before it, and refuses its
// block. The header must not stay the best one: its block would be downloaded for
// ever.
func TestABlockOlderThanItsCheckpoint(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(4, time.Minute)
	marked := b.mine(1, time.Hour)[0]
	rival := b.fork(5, 1)
	old := b.mine(1, -30*time.Minute)[0]
	good := rival.mine(1, time.Minute)[0]
	hash := marked.BlockHash()
	e := open(t, Config{Params: b.params, AddCheckpoints: []chaincfg.Checkpoint{{Height: 5, Hash: &hash}}})
	give(t, e, b.blocks[1:6]...)
	if v := giveHeaders(t, e, old); v.Code != chain.OK || v.Best.Height != 6 {
		t.Fatalf("its header: %+v", v)
	}
	a := giveOne(t, e, old)
	wantCode(t, a.Verdict.Code, chain.Checkpoint, a.Verdict.Reason, "time-too-old", "older than the checkpoint")
	if a.Tips.Header != a.Tips.Block || a.Tips.Block.Height != 5 {
		t.Errorf("the tips are %+v", a.Tips)
	}
	give(t, e, good)
}

// Before segwit was active btcd took witness data that nothing commits to, and
// would store and serve a block that anybody could have blown up.
func TestWitnessDataBeforeSegwit(t *testing.T) {
	good := fixture.MainnetBlocks(2)[1]
	bad := &wire.MsgBlock{Header: good.Header, Transactions: []*wire.MsgTx{good.Transactions[0].Copy()}}
	bad.Transactions[0].TxIn[0].Witness = wire.TxWitness{make([]byte, 1000)}
	e := open(t, Config{Params: &chaincfg.MainNetParams})
	v := giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Mutated, v.Reason, "unexpected-witness", "the coinbase does not commit to it")
	give(t, e, good)
}

// A block whose first transaction has no inputs and outputs is invalid, with or without witness
// data. There is no coinbase that could commit to that, and the header is condemned.
func TestWitnessDataAfterATransactionWithoutInputs(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	bad := b.mineWith(time.Minute, func(m *wire.MsgBlock) {
		m.Transactions[0].TxIn, m.Transactions[0].TxOut = nil, nil
		spend := wire.NewMsgTx(1)
		spend.AddTxIn(wire.NewTxIn(wire.NewOutPoint(b.params.GenesisHash, 0), nil, wire.TxWitness{{1}}))
		spend.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
		m.Transactions = append(m.Transactions, spend)
	})
	e := open(t, Config{Params: b.params})
	a := giveOne(t, e, bad)
	wantCode(t, a.Verdict.Code, chain.Invalid, a.Verdict.Reason, "bad-cb-missing", "no coinbase")
	if a.Tips.Header.Height != 0 {
		t.Errorf("its header is still the best: %+v", a.Tips)
	}
}

// beforeSegwit are parameters of a network whose segwit is not active: where
// miners vote from a time on, as on mainnet, or, with none, always (as on signet,
// where Bitcoin Core has it active from the start).
func beforeSegwit(votes time.Time) *chaincfg.Params {
	p := chaincfg.RegressionNetParams
	segwit := &p.Deployments[chaincfg.DeploymentSegwit]
	segwit.AlwaysActiveHeight = 0
	segwit.DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(votes)
	segwit.DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(time.Time{}) // never
	return &p
}

// commit makes a block's coinbase commit to its witness data (BIP141).
func commit(m *wire.MsgBlock) {
	coinbase, nonce := m.Transactions[0], make([]byte, blockchain.CoinbaseWitnessDataLen)
	coinbase.TxIn[0].Witness = wire.TxWitness{nonce}
	root := blockchain.CalcMerkleRoot(btcutil.NewBlock(m).Transactions(), true)
	hash := chainhash.DoubleHashB(append(root[:], nonce...))
	coinbase.AddTxOut(wire.NewTxOut(0, append(slices.Clone(blockchain.WitnessMagicBytes), hash...)))
}

// The transactions of a block are the same with and without their witnesses, so
// that anybody on the way can change those. The coinbase's commitment counts
// whether or not btcd has segwit active.
func TestWitnessDataThatIsNotCommittedTo(t *testing.T) {
	cases := map[string]struct {
		coinbase, spend wire.TxWitness
		reason          string
	}{
		"junk in the coinbase":    {wire.TxWitness{make([]byte, 1000)}, wire.TxWitness{{1}}, "bad-witness-nonce-size"},
		"junk beside the nonce":   {wire.TxWitness{make([]byte, 32), make([]byte, 1000)}, wire.TxWitness{{1}}, "bad-witness-nonce-size"},
		"another nonce":           {wire.TxWitness{slices.Repeat([]byte{7}, 32)}, wire.TxWitness{{1}}, "bad-witness-merkle-match"},
		"no nonce":                {nil, wire.TxWitness{{1}}, "bad-witness-nonce-size"},
		"junk in a spend":         {wire.TxWitness{make([]byte, 32)}, wire.TxWitness{make([]byte, 1000)}, "bad-witness-merkle-match"},
		"so much that it is full": {wire.TxWitness{make([]byte, 32)}, wire.TxWitness{make([]byte, 4_000_000)}, "bad-witness-merkle-match"},
		"nothing in the spend":    {wire.TxWitness{make([]byte, 32)}, nil, "bad-witness-merkle-match"},
	}
	for segwit, p := range map[string]*chaincfg.Params{
		"after":                &chaincfg.RegressionNetParams,
		"before":               beforeSegwit(time.Unix(1199145601, 0)), // 2008
		"before, as on signet": beforeSegwit(time.Time{}),
	} {
		b := newBranch(t, p)
		good := b.mineWith(time.Minute, func(m *wire.MsgBlock) {
			spend := wire.NewMsgTx(1)
			spend.AddTxIn(wire.NewTxIn(wire.NewOutPoint(p.GenesisHash, 0), nil, wire.TxWitness{{1}}))
			spend.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
			m.Transactions = append(m.Transactions, spend)
			commit(m)
		})
		for name, c := range cases {
			t.Run(segwit+"/"+name, func(t *testing.T) {
				e := open(t, Config{Params: p})
				bad := good.Copy()
				bad.Transactions[0].TxIn[0].Witness, bad.Transactions[1].TxIn[0].Witness = c.coinbase, c.spend
				v := giveOne(t, e, bad).Verdict
				wantCode(t, v.Code, chain.Mutated, v.Reason, c.reason, "the witness data is not the block's")
				if merkleRoot(bad) != bad.Header.MerkleRoot || len(e.valid.bad) != 0 {
					t.Errorf("the header should be good, and is condemned: %+v", e.valid.bad)
				}
			})
		}
	}
}

// Before segwit a block has no witness data for Bitcoin Core, not even what its
// coinbase commits to. A peer that serves such a block is discouraged.
func TestWitnessDataThatComesTooEarly(t *testing.T) {
	for name, c := range map[string]struct {
		params *chaincfg.Params
		early  bool
	}{
		"miners vote":                 {beforeSegwit(time.Unix(1199145601, 0)), true}, // 2008
		"nobody had to, as on signet": {beforeSegwit(time.Time{}), false},
		"active":                      {&chaincfg.RegressionNetParams, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBranch(t, c.params)
			full := b.mineWith(time.Minute, commit)
			e := open(t, Config{Params: c.params})
			if !c.early {
				give(t, e, full)
				return
			}
			v := giveOne(t, e, full).Verdict
			wantCode(t, v.Code, chain.Mutated, v.Reason, "unexpected-witness", "nothing is active yet")
			bare := full.Copy()
			bare.Transactions[0].TxIn[0].Witness = nil
			give(t, e, bare)
			give(t, e, b.mine(1, time.Minute)...)
			give(t, e, b.fork(1, 1).mineWith(time.Minute, commit)) // side branches are not checked
		})
	}
}
