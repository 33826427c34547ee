package sim_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

const walletID actor.ID = 94

// wallet pays with coins that only it has, and never with one twice. So all that it pays is
// valid everywhere, whatever else happens. It offers a payment until its chain has it. Some
// payments pay little, and nothing is built on them.
type wallet struct {
	town   *town
	home   *resident
	market *market
	rng    *rand.Rand
	every  time.Duration
	submit actor.Port[chain.SubmitTx, chain.TxVerdict]

	coins []fake.Coin
	kept  fake.Coin     // for the last payment
	queue []*wire.MsgTx // to be offered; the first one may be under way
	asked bool
	next  time.Time
	took  []chainhash.Hash // what its chain has taken
	last  *wire.MsgTx      // the payment with the coin that was kept
}

// market has all payments of a town, in the order in which they were made.
type market struct {
	town   *town
	txs    []*wire.MsgTx
	byName map[chainhash.Hash]*wire.MsgTx // by both names
	// idle says whether nobody may pay now.
	idle func() bool
}

func (k *market) list(tx *wire.MsgTx) {
	id := chain.NameOf(tx)
	k.txs = append(k.txs, tx)
	k.byName[id.TxID], k.byName[id.WTxID] = tx, tx
}

// The fees of payments, about 85 virtual bytes long. lowFee is too little for a node whose
// least fee is dearFee.
const (
	lowFee, highFee   = 300, 5000
	cheapFee, dearFee = 1000, 20_000 // of 1,000 virtual bytes
)

// open gives a node a wallet with the rewards of some blocks.
func (k *market) open(c *town, n *resident, plan *cell.Plan, every time.Duration, blocks []*wire.MsgBlock) {
	var p actor.Ports
	w := &wallet{
		town: c, home: n, market: k, rng: c.seeded(), every: every,
		submit: actor.Connect[chain.SubmitTx](&p, "wallet.submit", node.ToChain, 1, 30*time.Minute),
	}
	for _, b := range blocks {
		w.coins = append(w.coins, fake.CoinsOf(b.Transactions[0])...)
	}
	w.kept, w.coins = w.coins[0], w.coins[1:]
	n.wallet = w
	plan.Cells = append(plan.Cells, cell.Static{ID: walletID, Name: "wallet", Ports: p.Specs, Build: func(uint32) actor.Machine { return w }})
}

func (w *wallet) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		w.next = now.Add(time.Second)
	case actor.Stop:
		out.Finish("stopped")
		return
	case chain.TxVerdict:
		if w.judged(in, b) {
			w.offer(out)
		}
	case actor.Tick:
		if !now.Before(w.next) {
			w.pay()
			w.offer(out)
			w.next = now.Add(time.Duration(w.rng.Int64N(int64(2*w.every)) + 1))
		}
	}
}

// pay makes a payment, or a chain of some.
func (w *wallet) pay() {
	if w.town.calm || w.market.idle() {
		return
	}
	for range 1 + w.rng.IntN(3)/2 {
		if len(w.coins) == 0 {
			return
		}
		i := w.rng.IntN(len(w.coins))
		coin := w.coins[i]
		w.coins = append(w.coins[:i:i], w.coins[i+1:]...)
		if w.rng.IntN(5) == 0 && w.home.store.Rules.MinFee < dearFee {
			w.spend(coin, lowFee+w.rng.Int64N(300))
			continue
		}
		w.coins = append(w.coins, fake.CoinsOf(w.spend(coin, highFee+w.rng.Int64N(5000)))...)
	}
}

// spend makes a payment and has it offered.
func (w *wallet) spend(coin fake.Coin, fee int64) *wire.MsgTx {
	tx := fake.Pay([]fake.Coin{coin}, fee, 1+w.rng.IntN(2), w.rng.Uint64())
	w.queue = append(w.queue, tx)
	return tx
}

// finish makes the last payment, with a coin that has been there all the time.
func (w *wallet) finish() { w.last = w.spend(w.kept, highFee) }

func (w *wallet) offer(out *actor.Outbox) {
	if w.asked || len(w.queue) == 0 {
		return
	}
	tx := w.queue[0]
	if _, ok := w.submit.Ask(out, 0, chain.SubmitTx{Tx: tx, ID: chain.NameOf(tx), Ours: true}); ok {
		w.asked = true
	}
}

// judged takes a payment off the queue that chain has. What chain has not got, for instance
// because it died, is offered again some time.
func (w *wallet) judged(in actor.Input, v chain.TxVerdict) (taken bool) {
	w.asked = false
	if in.Err != nil {
		return false
	}
	tx := w.queue[0]
	switch {
	case v.Code == chain.TxOK || v.Code == chain.TxKnown:
		w.queue = w.queue[1:]
		w.took = append(w.took, v.ID.TxID)
		w.market.list(tx)
		return true
	case v.Code != chain.TxOrphan: // its block may yet come
		w.town.accuse(fmt.Errorf("%s: an honest payment is answered %v (%s)", w.home.Name, v.Code, v.Reason))
	}
	return false
}

func (w *wallet) Deadline() time.Time { return w.next }
func (w *wallet) Check() error        { return nil }

// settled says whether all that the wallet has paid is in its own pool or in a block.
func (w *wallet) settled() error {
	if len(w.queue) > 0 {
		return fmt.Errorf("%d payments are not offered yet", len(w.queue))
	}
	there := map[chainhash.Hash]bool{}
	for _, txid := range w.home.store.Pooled() {
		there[txid] = true
	}
	for _, txid := range w.took {
		if !there[txid] && !w.home.store.Confirmed(txid) {
			return fmt.Errorf("payment %v was taken and is nowhere", txid)
		}
	}
	return w.home.store.Verify()
}

// everywhere says whether all nodes that are up have in their pools what any of them has and
// what pays enough for them.
func (c *town) everywhere() error {
	rates := map[chainhash.Hash]int64{}
	for _, n := range c.up() {
		for _, t := range n.store.Named() {
			rates[t.ID.TxID] = t.FeeRate()
		}
	}
	for _, n := range c.up() {
		if err := n.wallet.settled(); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		has := map[chainhash.Hash]bool{}
		for _, txid := range n.store.Pooled() {
			has[txid] = true
		}
		lacks := 0
		for txid, rate := range rates {
			if !has[txid] && rate >= n.store.Rules.MinFee {
				lacks++
			}
		}
		if lacks > 0 {
			return fmt.Errorf("%s lacks %d of %d transactions that others have and that pay enough for it", n.Name, lacks, len(rates))
		}
	}
	return nil
}

// reached says whether the last payment of every wallet is in the pool or a block of every
// node that is up.
func (c *town) reached() error {
	for _, payer := range c.up() {
		txid := payer.wallet.last.TxHash()
		for _, n := range c.up() {
			if !n.store.Has(txid) && !n.store.Confirmed(txid) {
				return fmt.Errorf("%s has not heard of what %s has paid last", n.Name, payer.Name)
			}
		}
	}
	return nil
}

// quiet says whether relay waits for no transaction, neither of a peer nor of chain.
func (n *resident) quiet() error {
	if r := n.client.relay; r.TxsInFlight+r.TxsWaiting > 0 {
		return fmt.Errorf("%s: relay has asked peers for %d transactions, and chain for %d verdicts", n.Name, r.TxsInFlight, r.TxsWaiting)
	}
	return nil
}
