package fake

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
)

// Whatever comes, the pool is what follows from the blocks and the events.
func TestPoolIsWhatItsEventsSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBank(6)
		b.Rules.MaxTxs, b.Rules.MaxOrphans, b.Rules.Expiry = 8, 3, time.Hour
		known := slices.Clone(b.coins)
		var withheld []*wire.MsgTx
		tips := []*wire.BlockHeader{b.tipHeader()}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			var err error
			switch rapid.SampledFrom([]string{"pay", "pay", "pay", "withhold", "late", "mine", "branch", "age"}).Draw(rt, "step") {
			case "pay":
				i := rapid.IntRange(0, len(known)-1).Draw(rt, "coin")
				tx := b.pay(known[i:min(len(known), i+1+int(b.salt%2))], rapid.Int64Range(1, 9999).Draw(rt, "fee"), 2)
				known = append(known, CoinsOf(tx)...)
				b.offer(tx)
			case "withhold":
				tx := b.pay(known[len(known)-1:], 100, 2)
				known = append(known, CoinsOf(tx)...)
				withheld = append(withheld, tx)
			case "late":
				if len(withheld) > 0 {
					b.offer(withheld[0])
					withheld = withheld[1:]
				}
			case "mine":
				b.mineTemplate(rapid.IntRange(0, 5).Draw(rt, "of the pool"))
				tips = append(tips, b.tipHeader())
			case "branch":
				on := tips[rapid.IntRange(0, len(tips)-1).Draw(rt, "on")]
				block, _ := b.mine(on)
				tips = append(tips, &block.Header)
			case "age":
				b.expire(steptest.Epoch.Add(time.Duration(rapid.IntRange(0, 61).Draw(rt, "minutes")) * time.Minute))
				_, err = b.hear()
			}
			if err = errors.Join(err, b.check(), b.Verify(), b.agrees()); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

func (b *bank) mineTemplate(most int) {
	t := b.template(true)
	var txs []*wire.MsgTx
	for _, x := range t.Txs[:min(most, len(t.Txs))] {
		txs = append(txs, x.Tx)
	}
	b.mine(b.tipHeader(), txs...)
}

// agrees says whether the events have told the whole pool.
func (b *bank) agrees() error {
	if told := inOrder(slices.Clone(b.view)); !slices.Equal(told, b.Pooled()) {
		return fmt.Errorf("the events tell of %d transactions, the pool has %d", len(told), len(b.Pooled()))
	}
	return nil
}

// The checks above are worth something: each of these pools is caught.
func TestABrokenPoolIsCaught(t *testing.T) {
	for name, breaks := range map[string]func(b *bank, tx *wire.MsgTx){
		"it loses one in silence": func(b *bank, _ *wire.MsgTx) { b.pool.txs = nil },
		"it keeps one twice":      func(b *bank, _ *wire.MsgTx) { b.pool.txs = append(b.pool.txs, b.pool.txs[0]) },
		"it keeps what is in a block": func(b *bank, tx *wire.MsgTx) {
			kept := b.pool.txs
			b.mine(b.tipHeader(), tx)
			b.pool.txs, b.view = kept, []chainhash.Hash{tx.TxHash()}
		},
		"it forgets that a coin is spent": func(b *bank, tx *wire.MsgTx) {
			b.mine(b.tipHeader(), tx)
			b.Store.coins[b.coins[0].At] = coin{tx.TxOut[0], 1, true}
		},
		"it forgets a coin": func(b *bank, _ *wire.MsgTx) { delete(b.Store.coins, b.coins[1].At) },
		"two spend the same": func(b *bank, _ *wire.MsgTx) {
			other := b.pay(b.coins[:1], 1, 1)
			b.enter(pooled{chain.PoolTx{ID: chain.NameOf(other)}, other, 1})
			b.hear()
		},
	} {
		b := newBank(2)
		tx := b.pay(b.coins[:1], 1000, 1)
		b.offer(tx)
		if err := errors.Join(b.check(), b.Verify(), b.agrees()); err != nil {
			t.Fatal(err)
		}
		breaks(b, tx)
		if errors.Join(b.check(), b.Verify(), b.agrees()) == nil {
			t.Errorf("%s, and nothing is wrong", name)
		}
	}
}
