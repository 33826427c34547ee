package fake

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
)

// bank is a store with some blocks, and what its events say of the pool.
type bank struct {
	*Store
	coins []Coin // of the first blocks
	view  []chainhash.Hash
	seen  uint64
	salt  uint64
}

func newBank(blocks int) *bank {
	b := &bank{Store: NewStore(genesis)}
	for _, block := range grow(&genesis.Header, blocks, 1) {
		b.Add(steptest.Epoch, block)
		b.coins = append(b.coins, CoinsOf(block.Transactions[0])...)
	}
	b.hear()
	return b
}

// hear takes in the new events. They must be legal.
func (b *bank) hear() (list []chain.Event, err error) {
	c := b.changes(b.seen)
	b.seen = c.Last
	for _, e := range c.Events {
		switch e := e.(type) {
		case chain.TxAccepted:
			for _, t := range e.Txs {
				if slices.Contains(b.view, t.ID.TxID) {
					err = fmt.Errorf("%v is accepted twice", t.ID.TxID)
				}
				b.view = append(b.view, t.ID.TxID)
			}
		case chain.TxResent:
			if !slices.Contains(b.view, e.Tx.ID.TxID) {
				err = fmt.Errorf("%v is sent again, and was not there", e.Tx.ID.TxID)
			}
		case chain.TxRemoved:
			for _, t := range e.Txs {
				i := slices.Index(b.view, t.TxID)
				if i < 0 {
					return nil, fmt.Errorf("%v leaves, and was not there", t.TxID)
				}
				b.view = slices.Delete(b.view, i, i+1)
			}
		}
	}
	return c.Events, err
}

// offer offers a transaction. The events that come of it are in said.
func (b *bank) offer(tx *wire.MsgTx) (v chain.TxVerdict, said []chain.Event) {
	v = b.applyTx(steptest.Epoch, chain.ApplyTx{Tx: tx, ID: chain.NameOf(tx), Orphan: true, Source: 7})
	said, err := b.hear()
	if err != nil {
		panic(err)
	}
	return v, said
}

func (b *bank) pay(coins []Coin, fee int64, n int) *wire.MsgTx {
	b.salt++
	return Pay(coins, fee, n, b.salt)
}

// mine mines a block on a header, with transactions.
func (b *bank) mine(on *wire.BlockHeader, txs ...*wire.MsgTx) (*wire.MsgBlock, []chain.Event) {
	b.salt++
	block := Mine(on.BlockHash(), on.Timestamp.Add(10*time.Second), bits, b.salt, 0, txs...)
	b.Add(steptest.Epoch, block)
	said, err := b.hear()
	if err != nil {
		panic(err)
	}
	return block, said
}

func (b *bank) tipHeader() *wire.BlockHeader { return &b.tip().header }

// A transaction is judged by what it spends, what it pays, and what is there.
func TestPoolVerdicts(t *testing.T) {
	b := newBank(5)
	b.Rules.MinFee = 1000
	good := b.pay(b.coins[:1], 1000, 2)
	child := b.pay(CoinsOf(good)[:1], 1000, 1)
	rival := b.pay(b.coins[:1], 1000, 1)
	own := b.pay(append(CoinsOf(good)[1:], b.coins[0]), 90_000, 1)
	bad := b.pay(b.coins[1:2], 1000, 1)
	b.Rules.Bad = map[chainhash.Hash]chain.TxCode{chain.NameOf(bad).WTxID: chain.TxWitness}
	for _, c := range []struct {
		why  string
		tx   *wire.MsgTx
		want chain.TxCode
	}{
		{"its parent is not there", child, chain.TxOrphan},
		{"a good one", good, chain.TxOK},
		{"again", good, chain.TxKnown},
		{"the orphan was adopted", child, chain.TxKnown},
		{"it pays no more than what it would replace", rival, chain.TxPolicy},
		{"it spends what it would replace", own, chain.TxPolicy},
		{"it pays nothing", b.pay(b.coins[2:3], 0, 1), chain.TxPolicy},
		{"it makes money", b.pay(b.coins[2:3], -1, 1), chain.TxInvalid},
		{"the world says so", bad, chain.TxWitness},
		{"it pays more than both that it replaces", b.pay(b.coins[:1], 2001, 1), chain.TxOK},
		{"its parent was replaced", child, chain.TxOrphan},
	} {
		v, _ := b.offer(c.tx)
		if v.Code != c.want || (v.Reason == "") != (v.Code == chain.TxOK) {
			t.Errorf("%s: %+v, want %v", c.why, v, c.want)
		}
		if c.want == chain.TxOrphan && !slices.Equal(v.Missing, []chainhash.Hash{good.TxHash()}) {
			t.Errorf("%s: %v is missing", c.why, v.Missing)
		}
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
}

// What is sent once more by RPC is told, and is its own from then on.
func TestPoolTellsWhatIsSentOnceMore(t *testing.T) {
	b := newBank(2)
	tx := b.pay(b.coins[:1], 1000, 1)
	b.offer(tx)
	if _, said := b.offer(tx); len(said) > 0 || b.poolNames().Txs[0].Ours {
		t.Errorf("a peer has sent it again, and told is %v", said)
	}
	q := chain.ApplyTx{Tx: tx, ID: chain.NameOf(tx), Ours: true}
	if v := b.applyTx(steptest.Epoch, q); v.Code != chain.TxKnown {
		t.Errorf("%+v", v)
	}
	said, err := b.hear()
	if err != nil || len(said) != 1 || !said[0].(chain.TxResent).Tx.Ours || !b.poolNames().Txs[0].Ours {
		t.Errorf("told is %v, %v", said, err)
	}
}

// A test changes nothing.
func TestPoolTestsOnly(t *testing.T) {
	b := newBank(2)
	tx := b.pay(b.coins[:1], 1000, 1)
	q := chain.ApplyTx{Tx: tx, ID: chain.NameOf(tx), Test: true, Orphan: true}
	if v := b.applyTx(steptest.Epoch, q); v.Code != chain.TxOK || v.Fee != 1000 {
		t.Errorf("%+v", v)
	}
	child := b.pay(CoinsOf(tx), 1000, 1)
	q = chain.ApplyTx{Tx: child, ID: chain.NameOf(child), Test: true, Orphan: true}
	if v := b.applyTx(steptest.Epoch, q); v.Code != chain.TxOrphan {
		t.Errorf("%+v", v)
	}
	if len(b.pool.txs)+len(b.pool.orphans) != 0 {
		t.Error("a test has left something")
	}
}

// reasons lists what left, and why, and what came.
func reasons(said []chain.Event) (list []string) {
	for _, e := range said {
		switch e := e.(type) {
		case chain.TxAccepted:
			list = append(list, fmt.Sprintf("%d in", len(e.Txs)))
		case chain.TxRemoved:
			list = append(list, fmt.Sprintf("%d out: %v", len(e.Txs), e.Reason))
		case chain.TxConfirmed:
			list = append(list, fmt.Sprintf("%d confirmed", len(e.Txs)))
		}
	}
	return list
}

func wantReasons(t *testing.T, why string, said []chain.Event, want ...string) {
	t.Helper()
	if got := reasons(said); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", why, got, want)
	}
}

// A block confirms one, its rival goes with its child. The branch that follows gives the
// first one back, unless it has a rival itself.
func TestPoolFollowsTheChain(t *testing.T) {
	b := newBank(5)
	mine, rival := b.pay(b.coins[:1], 1000, 1), b.pay(b.coins[1:2], 1000, 1)
	child := b.pay(CoinsOf(rival), 1000, 1)
	for _, tx := range []*wire.MsgTx{mine, rival, child} {
		b.offer(tx)
	}
	base := *b.tipHeader()
	other := b.pay(b.coins[1:2], 5, 1) // another spender of the same coin, which no pool had
	_, said := b.mine(&base, mine, other)
	wantReasons(t, "a block", said, "2 confirmed", "1 out: block", "2 out: conflict")

	// A coinbase that only this branch has is spent.
	reward := CoinsOf(b.tip().block.Transactions[0])
	_, said = b.offer(b.pay(reward, 1000, 1))
	wantReasons(t, "a payment from the reward", said, "1 in")

	side, said := b.mine(&base)
	wantReasons(t, "a branch of the same work", said)
	_, said = b.mine(&side.Header)
	wantReasons(t, "a branch of more work", said, "1 out: reorg", "2 in")
	if err := b.Verify(); err != nil {
		t.Error(err)
	}

	// What is in both branches is not given back.
	_, said = b.mine(b.tipHeader(), mine)
	wantReasons(t, "it is confirmed again", said, "1 confirmed", "1 out: block")
	base = *b.tipHeader()
	b.mine(&base, other)
	two, _ := b.mine(&base)
	_, said = b.mine(&two.Header, other)
	wantReasons(t, "both branches have it", said, "1 confirmed")
}

// The pool is full: what pays least goes, with its descendants. That may be what came.
func TestPoolEvicts(t *testing.T) {
	b := newBank(5)
	b.Rules.MaxTxs = 3
	poor := b.pay(b.coins[:1], 100, 1)
	b.offer(poor)
	b.offer(b.pay(CoinsOf(poor), 100, 1))
	b.offer(b.pay(b.coins[1:2], 5000, 1))
	v, said := b.offer(b.pay(b.coins[2:3], 5000, 1))
	wantReasons(t, "a fourth", said, "1 in", "2 out: sizelimit")
	if v.Code != chain.TxOK {
		t.Errorf("%+v", v)
	}
	b.offer(b.pay(b.coins[3:4], 5000, 1))
	v, said = b.offer(b.pay(b.coins[4:5], 101, 1))
	wantReasons(t, "one that pays less than all", said, "1 in", "1 out: sizelimit")
	if v.Code != chain.TxPolicy || v.Reason != "mempool full" {
		t.Errorf("%+v", v)
	}
}

// A priority counts like a fee: it decides what goes, and what the next block has first.
func TestPoolPriorities(t *testing.T) {
	b := newBank(3)
	one, two := b.pay(b.coins[:1], 1000, 1), b.pay(b.coins[1:2], 2000, 1)
	child := b.pay(CoinsOf(one), 9000, 1)
	for _, tx := range []*wire.MsgTx{one, two, child} {
		b.offer(tx)
	}
	order := func() (list []chainhash.Hash) {
		for i, x := range b.template(true).Txs {
			for _, parent := range x.Depends {
				if parent >= i {
					t.Error("a parent stands behind its child")
				}
			}
			list = append(list, x.ID.TxID)
		}
		return list
	}
	if got := order(); !slices.Equal(got, []chainhash.Hash{two.TxHash(), one.TxHash(), child.TxHash()}) {
		t.Errorf("the order is %v", got)
	}
	b.pool.deltas[one.TxHash()] = 5000
	if got := order(); got[0] != one.TxHash() {
		t.Errorf("the order is %v", got)
	}
	if b.template(false).Txs != nil {
		t.Error("no transactions were asked for")
	}
}

// It is two weeks old: it goes, and its child with it.
func TestPoolExpires(t *testing.T) {
	b := newBank(3)
	b.Rules.Expiry = time.Hour
	old := b.pay(b.coins[:1], 1000, 1)
	b.offer(old)
	b.expire(steptest.Epoch.Add(time.Hour))
	if len(b.pool.txs) != 1 {
		t.Error("it goes too early")
	}
	b.expire(steptest.Epoch.Add(time.Hour + 1))
	said, err := b.hear()
	if err != nil {
		t.Error(err)
	}
	wantReasons(t, "an hour later", said, "1 out: expiry")
}

// What the readers say of a family of three.
func TestPoolIsRead(t *testing.T) {
	b := newBank(4)
	parent := b.pay(b.coins[:1], 1000, 2)
	child := b.pay(append(CoinsOf(parent)[:1], b.coins[1]), 2000, 1)
	last := b.pay(CoinsOf(child), 3000, 1)
	for _, tx := range []*wire.MsgTx{parent, child, last} {
		b.offer(tx)
	}
	b.pool.deltas[child.TxHash()] = 10
	of := func(which chain.Which) chain.PoolEntries {
		return b.poolEntries(chain.GetPoolEntries{TxID: child.TxHash(), Which: which})
	}
	one := of(chain.OneEntry)
	if len(one.Entries) != 1 || !one.Known {
		t.Fatalf("%+v", one)
	}
	e := one.Entries[0]
	if e.Modified != 2010 || e.AncestorCount != 2 || e.AncestorFees != 3010 || e.DescendantCount != 2 || e.DescendantFees != 5010 ||
		!slices.Equal(e.Depends, []chainhash.Hash{parent.TxHash()}) || !slices.Equal(e.SpentBy, []chainhash.Hash{last.TxHash()}) {
		t.Errorf("%+v", e)
	}
	for which, want := range map[chain.Which]chainhash.Hash{chain.AncestorEntries: parent.TxHash(), chain.DescendantEntries: last.TxHash()} {
		if got := of(which); len(got.Entries) != 1 || got.Entries[0].ID.TxID != want {
			t.Errorf("%d: %+v", which, got)
		}
	}
	if got := b.poolEntries(chain.GetPoolEntries{Which: chain.AllEntries}); len(got.Entries) != 3 || !got.Known {
		t.Errorf("%+v", got)
	}
	if b.poolEntries(chain.GetPoolEntries{}).Known {
		t.Error("an unknown transaction is known")
	}
	if got := b.poolInfo(); got.Txs != 3 || got.Fees != 6000 || got.Sequence != 3 {
		t.Errorf("%+v", got)
	}
	if got := b.poolTx(chain.GetPoolTx{TxID: child.TxHash()}); got.Tx != child || got.Source != 7 {
		t.Errorf("%+v", got)
	}
	if got := b.poolTx(chain.GetPoolTx{TxID: child.WitnessHash()}); got.Tx != nil {
		t.Errorf("a wtxid is no txid: %+v", got)
	}
	spent, free := b.coins[0].At, b.coins[3].At
	if got := b.spenders(chain.GetSpenders{Outs: []wire.OutPoint{spent, free}}); got.TxIDs[0] != parent.TxHash() || got.TxIDs[1] != (chainhash.Hash{}) {
		t.Errorf("%+v", got)
	}
	made := CoinsOf(last)[0].At
	for _, c := range []struct {
		at   wire.OutPoint
		pool bool
		want chain.TxOut
	}{
		{spent, false, chain.TxOut{Known: true, Height: 1, CoinBase: true}},
		{spent, true, chain.TxOut{}},
		{made, false, chain.TxOut{}},
		{made, true, chain.TxOut{Known: true, Height: -1}},
	} {
		got := b.txOut(chain.FindTxOut{Out: c.at, Pool: c.pool})
		if got.Known != c.want.Known || got.Height != c.want.Height || got.CoinBase != c.want.CoinBase {
			t.Errorf("%v, pool %v: %+v", c.at, c.pool, got)
		}
	}
}
