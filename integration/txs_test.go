package integration

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/p2p"
)

// line is btcd — this node — btcd. What one btcd has, the other one has through us.
type line struct {
	t                 *testing.T
	first, us, second *harness.Node
	wallet            *chaingen.Wallet
	chain             *chaingen.Chain
	coins             []chaingen.Coin
}

// newLine mines 120 blocks, so that 20 coinbases can be spent.
func newLine(t *testing.T, name string) *line {
	t.Helper()
	l := &line{t: t, wallet: chaingen.NewWallet(name)}
	quick := []string{"--trickleinterval=100ms"} // btcd's default is ten seconds
	l.first = harness.Btcd(t, harness.Options{Name: "first", MineTo: l.wallet.Address(), Args: quick})
	l.first.Generate(120)
	l.us = start(t, harness.Options{Name: "us", Connect: []string{l.first.P2P}, MineTo: l.wallet.Address()})
	l.second = harness.Btcd(t, harness.Options{Name: "second", Connect: []string{l.us.P2P}, Args: quick})
	awaitAll(t, l.first, l.all())
	l.chain = chaingen.From(l.wallet, chaingen.Options{}, l.first.Blocks())
	l.coins = l.chain.Ripe()
	return l
}

func (l *line) all() []*harness.Node { return []*harness.Node{l.first, l.us, l.second} }

// coin takes a coin that no transaction of the test spends.
func (l *line) coin() []chaingen.Coin {
	l.t.Helper()
	if len(l.coins) == 0 {
		l.t.Fatal("the test has spent all coins")
	}
	coin := l.coins[:1:1]
	l.coins = l.coins[1:]
	return coin
}

// fee is what transactions of the tests pay, in satoshi. That is enough for any pool.
const fee = 10_000

// pay spends a coin to itself.
func (l *line) pay() *wire.MsgTx { return l.wallet.Spend(l.coin(), 2, fee) }

// awaitPools waits until the pool of every node has exactly these transactions.
func (l *line) awaitPools(what string, txs ...*wire.MsgTx) {
	l.t.Helper()
	var want []string
	for _, tx := range txs {
		want = append(want, tx.TxHash().String())
	}
	slices.Sort(want)
	for _, n := range l.all() {
		harness.Eventually(l.t, harness.Patience, what+", at "+n.Name, func() (bool, string) {
			var got []string
			n.Call(&got, "getrawmempool")
			slices.Sort(got)
			return slices.Equal(got, want), fmt.Sprintf("its pool has %v, want %v", got, want)
		})
	}
}

func raw(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b.Bytes())
}

// TestTransactionsCrossBothWays gives each node of a line a transaction. Each comes to
// the others as it is, with its witness data. A replacement replaces, a block confirms.
func TestTransactionsCrossBothWays(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	l := newLine(t, "cross")

	parent := l.wallet.Spend(l.coin(), 4, fee) // its outputs are by turns P2PKH and P2WPKH
	l.first.SendTx(parent)
	l.awaitPools("a transaction of the first btcd", parent)

	outs := l.wallet.Outputs(parent)
	witness := l.wallet.Spend(outs[1:2], 1, fee)
	if !witness.HasWitness() {
		t.Fatal("the test wants witness data")
	}
	l.second.SendTx(witness)
	l.awaitPools("a transaction of the second btcd", parent, witness)

	ours := l.wallet.Spend(outs[3:4], 2, fee)
	l.us.SendTx(ours)
	l.awaitPools("one of ours", parent, witness, ours)
	for _, n := range l.all() {
		for _, tx := range []*wire.MsgTx{parent, witness, ours} {
			var got string
			n.Call(&got, "getrawtransaction", tx.TxHash().String(), 0)
			if got != raw(t, tx) {
				t.Errorf("%s has %s\nwant %s", n.Name, got, raw(t, tx))
			}
		}
	}

	t.Log("a replacement replaces")
	coin := l.coin()
	cheap, dear := l.wallet.Spend(coin, 2, fee), l.wallet.Spend(coin, 2, 3*fee)
	for _, tx := range []*wire.MsgTx{cheap, dear} {
		tx.TxIn[0].Sequence = wire.MaxTxInSequenceNum - 2 // BIP125
		l.wallet.Sign(tx, coin)
	}
	l.first.SendTx(cheap)
	l.awaitPools("one that may be replaced", parent, witness, ours, cheap)
	l.second.SendTx(dear)
	l.awaitPools("it is replaced", parent, witness, ours, dear)

	t.Log("a block confirms them")
	l.us.Generate(1)
	awaitAll(t, l.us, l.all())
	l.awaitPools("all are confirmed")
	block := l.us.Block(l.us.BestHash())
	if len(block.Transactions) != 5 {
		t.Errorf("the block has %d transactions, want the coinbase and four", len(block.Transactions))
	}
}

// TestAChildComesBeforeItsParent: a peer sends a child. It is asked for the parent, and
// both go on to btcd.
func TestAChildComesBeforeItsParent(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	l := newLine(t, "orphan")
	parent := l.pay()
	child := l.wallet.Spend(l.wallet.Outputs(parent)[1:2], 1, fee)

	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	conn, err := p2p.Node{Addr: l.us.P2P, Net: wire.TestNet}.Dial(ctx, "orphan")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Send(child); err != nil {
		t.Fatal(err)
	}
	want := parent.TxHash()
	for asked := false; !asked; {
		command, payload, err := conn.Receive()
		if err != nil {
			t.Fatal("the node did not ask for the parent:", err)
		}
		if command != wire.CmdGetData {
			continue
		}
		msg, err := p2p.Decode(payload, &wire.MsgGetData{})
		if err != nil {
			t.Fatal(err)
		}
		asked = slices.ContainsFunc(msg.InvList, func(v *wire.InvVect) bool { return v.Hash == want })
	}
	if err := conn.Send(parent); err != nil {
		t.Fatal(err)
	}
	l.awaitPools("parent and child", parent, child)
}

// TestAReorganisationGivesTransactionsBack: ten blocks with transactions leave the best
// chain, and every pool has the transactions again. Then a block confirms them once more.
func TestAReorganisationGivesTransactionsBack(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	l := newLine(t, "reorg")
	fork := l.us.Height()
	var txs []*wire.MsgTx
	for i := range 10 {
		tx := l.pay()
		if i%2 == 1 { // the child of one in the block before
			tx = l.wallet.Spend(l.wallet.Outputs(txs[i-1])[1:2], 1, fee)
		}
		txs = append(txs, tx)
		l.us.SendTx(tx)
		l.us.Generate(1)
	}
	awaitAll(t, l.us, l.all())
	l.awaitPools("each block has one")

	branch := l.chain.Fork(fork, 1).Mine(11)
	for _, block := range branch.Blocks(fork + 1) {
		l.us.SubmitBlock(block)
	}
	awaitAll(t, l.us, l.all())
	if l.us.BestHash() != branch.Tip() {
		t.Fatal("the branch is not the best chain")
	}
	l.awaitPools("they are back", txs...)

	l.us.Generate(1)
	awaitAll(t, l.us, l.all())
	l.awaitPools("they are confirmed again")
}

// TestRefusalsInCoresWords: what the pool does not take is refused by RPC in the words
// of Bitcoin Core, and harms no peer.
func TestRefusalsInCoresWords(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	l := newLine(t, "refused")
	good := l.pay()
	l.us.SendTx(good)
	l.awaitPools("the good one", good)

	free := l.wallet.Spend(l.coin(), 2, 0)
	forged := l.pay()
	forged.TxIn[0].SignatureScript[10] ^= 1
	unknown := l.wallet.Spend([]chaingen.Coin{{OutPoint: wire.OutPoint{Index: 7}, Out: *good.TxOut[0]}}, 1, fee)
	for _, c := range []struct {
		name, want string
		tx         *wire.MsgTx
	}{
		{"no fee", "min relay fee not met", free},
		{"a forged signature", "mandatory-script-verify-flag-failed", forged},
		{"unknown inputs", "bad-txns-inputs-missingorspent", unknown},
	} {
		err := l.us.RPC.Call(t.Context(), nil, "sendrawtransaction", raw(t, c.tx))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	l.awaitPools("the good one alone", good)
	if got := l.us.Peers(); got != 2 {
		t.Errorf("%d peers, want both btcds", got)
	}
}
