package pool

import (
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// returned are the transactions that come back when blocks are disconnected, until
// the reorganisation is over.
type returned struct {
	reorg bool
	// txs are those of the blocks, the last one of the best block first.
	txs    []blockTx
	usage  int64
	byTxID map[chainhash.Hash]bool // those of txs that no new block has
	// lifted are the transactions of the pool that descend from them. They can only
	// be judged again after their parents.
	lifted map[chainhash.Hash]*entry
}

type blockTx struct {
	tx *wire.MsgTx
	id chainhash.Hash
}

// Connected says that a block was connected. It is called while btcd processes the
// block, so it looks at the pool alone. Settle must follow when btcd has returned.
func (p *Pool) Connected(block *btcutil.Block) {
	now := p.cfg.Now()
	p.locked(func() {
		p.fee = p.fee.after(now, p.index.total.usage, p.cfg.MaxBytes)
		p.fee.block(now)
	})
	txs := block.Transactions()
	all := make([]chain.TxID, 0, len(txs))
	var confirmed, conflicts []chain.TxID
	for i, t := range txs {
		id := chain.TxID{TxID: *t.Hash(), WTxID: *t.Hash()}
		if t.HasWitness() {
			id.WTxID = *t.WitnessHash()
		}
		if i > 0 {
			all = append(all, id)
			confirmed = append(confirmed, p.confirm(id.TxID)...)
			conflicts = append(conflicts, p.takeFamily(p.conflicts(t.MsgTx()))...)
			p.orphans.dropRivals(t.MsgTx())
		}
		p.orphans.ready(t.MsgTx(), id.TxID)
	}
	p.removed(chain.RemovedConfirmed, confirmed...)
	p.removed(chain.RemovedConflict, conflicts...)
	if len(all) > 0 {
		p.events = append(p.events, chain.TxConfirmed{Txs: all})
	}
	p.countOrphans()
}

// confirm takes a transaction out of all lists, for a block has it. It returns the
// name under which the pool had it.
func (p *Pool) confirm(txid chainhash.Hash) (ids []chain.TxID) {
	if p.back.byTxID != nil {
		delete(p.back.byTxID, txid)
		if e := p.back.lifted[txid]; e != nil {
			delete(p.back.lifted, txid)
			ids = append(ids, e.ID)
		}
	}
	if e := p.index.byTxID[txid]; e != nil {
		p.take(e)
		ids = append(ids, e.ID)
	}
	if _, ok := p.deltas[txid]; ok {
		p.locked(func() { delete(p.deltas, txid) })
	}
	return ids
}

// Disconnected says that a block was disconnected. As with Connected, Settle must
// follow.
func (p *Pool) Disconnected(block *btcutil.Block) {
	b := &p.back
	if !b.reorg {
		*b = returned{reorg: true, byTxID: map[chainhash.Hash]bool{}, lifted: map[chainhash.Hash]*entry{}}
	}
	txs := block.Transactions()
	for i := len(txs) - 1; i >= 0; i-- {
		t := txs[i]
		p.lift(t)
		if i > 0 {
			b.txs = append(b.txs, blockTx{t.MsgTx(), *t.Hash()})
			b.byTxID[*t.Hash()] = true
			b.usage += txUsage(t.MsgTx())
		}
	}
	for b.usage > maxReturned {
		b.usage -= txUsage(b.txs[0].tx)
		delete(b.byTxID, b.txs[0].id)
		b.txs = b.txs[1:]
	}
}

// lift takes the descendants of a block's transaction out of the pool. Settle brings
// them back.
func (p *Pool) lift(t *btcutil.Tx) {
	var children []*entry
	for i := range t.MsgTx().TxOut {
		if c := p.index.spends[wire.OutPoint{Hash: *t.Hash(), Index: uint32(i)}]; c != nil {
			children = append(children, c)
		}
	}
	for _, e := range p.family(children) {
		p.take(e)
		p.back.lifted[e.ID.TxID] = e
	}
}

// Settle judges what the blocks since the last call have changed.
func (p *Pool) Settle() error {
	if p.back.reorg {
		back := p.back
		p.back = returned{}
		if err := p.bringBack(&back); err != nil {
			return err
		}
		if err := p.recheck(); err != nil {
			return err
		}
	}
	if err := p.tryOrphans(); err != nil {
		return err
	}
	p.limit()
	return nil
}

// bringBack offers the transactions of disconnected blocks to the pool again, in
// the order of the blocks, and then those of the pool that descend from them.
func (p *Pool) bringBack(b *returned) error {
	for i := len(b.txs) - 1; i >= 0; i-- {
		if tx := b.txs[i]; b.byTxID[tx.id] {
			delete(b.byTxID, tx.id)
			_, _, err := p.admit(Offer{Tx: tx.tx, returned: true})
			if err != nil {
				return err
			}
		}
	}
	lifted := make([]*entry, 0, len(b.lifted))
	for _, e := range b.lifted {
		lifted = append(lifted, e)
	}
	var lost []chain.TxID
	for _, e := range inOrder(lifted) {
		_, r, err := p.admit(Offer{Tx: e.tx, Source: e.Source, Ours: e.ours.Load(), Added: e.Added, returned: true, pooled: true})
		if err != nil {
			return err
		}
		if r != nil {
			lost = append(lost, e.ID)
		}
	}
	p.removed(chain.RemovedReorg, lost...)
	return nil
}

// recheck takes out what is not valid in the next block any more, for that has a
// lower height or an earlier time now.
func (p *Pool) recheck() error {
	var lost []*entry
	for _, e := range p.index.order {
		if e.gone.Load() || !e.fragile {
			continue
		}
		r, err := p.stillGood(btcutil.NewTx(e.tx))
		if err != nil {
			return err
		}
		if r != nil {
			lost = append(lost, e)
		}
	}
	p.removed(chain.RemovedReorg, p.takeFamily(lost)...)
	return nil
}

func (p *Pool) stillGood(t *btcutil.Tx) (*refusal, error) {
	best := p.cfg.Chain.BestSnapshot()
	if !blockchain.IsFinalizedTransaction(t, best.Height+1, best.MedianTime) {
		return refuse(chain.TxEarly, "non-final", "its lock time is not reached"), nil
	}
	view, r, err := p.fetch(t)
	if r != nil || err != nil {
		return r, err
	}
	if _, r, err = p.checkInputs(t, view); r != nil || err != nil {
		return r, err
	}
	return p.checkLocks(t, view)
}
