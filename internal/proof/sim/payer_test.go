package sim_test

import (
	"errors"
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

const payerID actor.ID = 93

// payerWindow is how many transactions a payer may have open.
const payerWindow = 16

// payer makes transactions and offers them to its node's chain, as relay and RPC do: good
// ones, rivals of others, children before their parents, known ones and tests. It asks the
// pool's other questions too. It hears of the pool as relay does (poolView), and knows what
// each question must be answered.
type payer struct {
	poolView
	town   *town
	home   *resident
	rng    *rand.Rand
	every  time.Duration
	submit actor.Port[chain.SubmitTx, chain.TxVerdict]
	out    actor.Port[chain.GetTxOut, chain.TxOut]
	add    actor.Port[chain.Prioritise, chain.Prioritised]
	save   actor.Port[chain.SavePool, chain.PoolSaved]

	coins    []fake.Coin   // that there have been, the spent ones included
	withheld []*wire.MsgTx // parents that come late, or never
	made     []*wire.MsgTx // all that it has offered; the index is the question's key
	tests    map[uint64]bool
	took     []chainhash.Hash // what the pool has said that it has
	deltas   []delta
	open     int // questions
	next     time.Time
	codes    map[chain.TxCode]int // verdicts
}

// delta is a priority: what is known of whether it was added.
type delta struct {
	txid  chainhash.Hash
	fee   int64
	state deltaState
}

type deltaState uint8

const (
	adding deltaState = iota
	added
	unsure
)

// endow gives a node a payer. At rest its pool must be what the oracles say.
func (c *town) endow(n *resident, plan *cell.Plan, every time.Duration, blocks []*wire.MsgBlock) {
	var p actor.Ports
	n.payer = &payer{
		poolView: newPoolView(&p), town: c, home: n, rng: c.seeded(), every: every,
		submit: actor.Connect[chain.SubmitTx](&p, "payer.submit", node.ToChain, payerWindow, 30*time.Minute),
		out:    actor.Connect[chain.GetTxOut](&p, "payer.txout", node.ToChain, 1, 30*time.Minute),
		add:    actor.Connect[chain.Prioritise](&p, "payer.prioritise", node.ToChain, 1, 30*time.Minute),
		save:   actor.Connect[chain.SavePool](&p, "payer.save", node.ToChain, 1, 30*time.Minute),
		tests:  map[uint64]bool{}, codes: map[chain.TxCode]int{},
	}
	for _, b := range blocks {
		n.payer.coins = append(n.payer.coins, fake.CoinsOf(b.Transactions[0])...)
	}
	n.payer.accuse = func(err error) {
		if c.deadly == 0 { // a rebuilt chain may publish an event again
			c.accuse(fmt.Errorf("%s: %w", n.Name, err))
		}
	}
	plan.Cells = append(plan.Cells, cell.Static{ID: payerID, Name: "payer", Ports: p.Specs, Build: func(uint32) actor.Machine { return n.payer }})
	for i := range plan.Topics {
		if t := &plan.Topics[i]; t.ID == node.ChainTxs {
			t.Subs = append(t.Subs, payerID)
		}
	}
}

func (p *payer) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		p.next = now.Add(time.Second)
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		if !p.town.calm && !now.Before(p.next) {
			p.act(out)
			p.next = now.Add(time.Duration(p.rng.Int64N(int64(2*p.every)) + 1))
		}
	case chain.TxVerdict:
		p.judged(in, b)
	case chain.TxOut:
		p.ended(in.Err)
	case chain.Prioritised:
		p.prioritised(in.Err)
	case chain.PoolSaved:
		if p.ended(in.Err); in.Err == nil && b.Path == "" {
			p.fault("the pool was written nowhere")
		}
	default:
		p.hear(in)
	}
	p.resync(out)
}

// act asks something, or a flood of things.
func (p *payer) act(out *actor.Outbox) {
	switch p.rng.IntN(16) {
	case 0:
		for range payerWindow {
			p.offer(p.payment(), out)
		}
	case 1: // a child, whose parent comes later
		parent := p.payment()
		p.withheld = append(p.withheld, parent)
		p.offer(p.spend(fake.CoinsOf(parent)[:1]), out)
	case 2:
		if n := len(p.withheld); n > 0 {
			i := p.rng.IntN(n)
			p.offer(p.withheld[i], out)
			p.withheld = append(p.withheld[:i:i], p.withheld[i+1:]...)
		}
	case 3: // one that it has offered before
		if n := len(p.made); n > 0 {
			p.offer(p.made[p.rng.IntN(n)], out)
		}
	case 4:
		p.tests[uint64(len(p.made))] = true
		p.offer(p.payment(), out)
	case 5:
		if len(p.made) > 0 {
			p.prioritise(p.made[p.rng.IntN(len(p.made))].TxHash(), out)
		}
	case 6:
		if _, ok := p.out.Ask(out, 0, chain.GetTxOut{Out: p.coin().At, Pool: p.rng.IntN(2) == 0}); ok {
			p.open++
		}
	case 7:
		if _, ok := p.save.Ask(out, 0, chain.SavePool{}); ok {
			p.open++
		}
	default:
		p.offer(p.payment(), out)
	}
}

// coin picks one: of the last ones, which are not spent yet, of all, or the reward of the
// best block, which a fork may take away.
func (p *payer) coin() fake.Coin {
	n := len(p.coins)
	switch p.rng.IntN(8) {
	case 0:
		return p.home.store.Reward()
	case 1:
		return p.coins[p.rng.IntN(n)]
	}
	return p.coins[n-1-p.rng.IntN(min(n, 20))]
}

func (p *payer) payment() *wire.MsgTx { return p.spend([]fake.Coin{p.coin()}) }

func (p *payer) spend(coins []fake.Coin) *wire.MsgTx {
	return fake.Pay(coins, p.rng.Int64N(10_000), 1+p.rng.IntN(3), p.rng.Uint64())
}

func (p *payer) offer(tx *wire.MsgTx, out *actor.Outbox) {
	key := uint64(len(p.made))
	q := chain.SubmitTx{Tx: tx, ID: chain.NameOf(tx), Orphan: p.rng.IntN(4) > 0, Test: p.tests[key], Ours: true}
	if _, ok := p.submit.Ask(out, key, q); ok {
		p.made = append(p.made, tx)
		p.open++
	}
}

func (p *payer) judged(in actor.Input, v chain.TxVerdict) {
	p.ended(in.Err)
	tx := p.made[in.Key]
	switch {
	case in.Err != nil:
		return
	case v.ID != chain.NameOf(tx):
		p.fault("the verdict on %v names %v", tx.TxHash(), v.ID.TxID)
	case v.Code == chain.TxFatal && p.home.Halted == nil:
		p.fault("the engine has failed, and the node goes on")
	case v.Code == chain.TxOK && !p.tests[in.Key]:
		p.took = append(p.took, v.ID.TxID)
		p.coins = append(p.coins, fake.CoinsOf(tx)...)
	}
	p.codes[v.Code]++
}

// prioritise adds a priority, one to a transaction, so that its sum says how often.
func (p *payer) prioritise(txid chainhash.Hash, out *actor.Outbox) {
	for _, d := range p.deltas {
		if d.txid == txid {
			return
		}
	}
	d := delta{txid: txid, fee: 1 + p.rng.Int64N(5000)}
	if _, ok := p.add.Ask(out, 0, chain.Prioritise{TxID: txid, Delta: d.fee}); ok {
		p.deltas = append(p.deltas, d)
		p.open++
	}
}

// prioritised notes how the last priority has ended.
func (p *payer) prioritised(err error) {
	p.ended(err)
	last := &p.deltas[len(p.deltas)-1]
	if last.state = added; err != nil {
		last.state = unsure
	}
}

// ended counts the end of a question. Chain may refuse it, or die. It does not forget it.
func (p *payer) ended(err error) {
	p.open--
	if errors.Is(err, actor.ErrTimeout) {
		p.fault("chain has not answered within half an hour")
	}
}

func (p *payer) fault(format string, args ...any) {
	p.town.accuse(fmt.Errorf(p.home.Name+": "+format, args...))
}

// settled says whether all that the payer knows agrees with the engine's pool.
func (p *payer) settled() error {
	if p.open > 0 {
		return fmt.Errorf("%d questions are open", p.open)
	}
	if err := p.home.store.Verify(); err != nil {
		return err
	}
	for _, d := range p.deltas {
		if got := p.home.store.Delta(d.txid); got != d.fee && (got != 0 || d.state == added) {
			return fmt.Errorf("%v counts with %d satoshi more; %d were added, in state %d", d.txid, got, d.fee, d.state)
		}
	}
	return p.agrees(p.home.store, p.took, p.town.deadly > 0)
}

func (p *payer) Deadline() time.Time {
	if p.town.calm {
		return time.Time{}
	}
	return p.next
}

func (p *payer) Check() error { return nil }
