package pool

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// orphan is a transaction whose parents are missing.
type orphan struct {
	tx     *wire.MsgTx
	id     chain.TxID
	source actor.ID
	came   time.Time
	weight int64
	usage  int64
	queued bool // a parent has come
}

// orphanage keeps orphans for a while. btcd's pool would admit them by itself,
// without our rules, so they are kept here.
type orphanage struct {
	byWTxID map[chainhash.Hash]*orphan
	spends  map[wire.OutPoint][]*orphan
	list    []*orphan // as they came
	queue   []*orphan // those to try again
	usage   int64
}

func newOrphanage() *orphanage {
	return &orphanage{byWTxID: map[chainhash.Hash]*orphan{}, spends: map[wire.OutPoint][]*orphan{}}
}

// add keeps an orphan, and throws out others if there are too many.
func (o *orphanage) add(n *orphan) {
	if o.byWTxID[n.id.WTxID] != nil || n.weight > maxOrphanWeight {
		return
	}
	o.expire(n.came.Add(-orphanExpiry))
	o.byWTxID[n.id.WTxID] = n
	o.list = append(o.list, n)
	o.usage += n.usage
	for _, in := range n.tx.TxIn {
		o.spends[in.PreviousOutPoint] = append(o.spends[in.PreviousOutPoint], n)
	}
	for len(o.list) > maxOrphans || o.usage > maxOrphanBytes {
		o.drop(o.oldestOf(o.greediest()))
	}
}

// greediest is the source whose orphans take the most memory. Whoever floods us
// loses its own.
func (o *orphanage) greediest() (worst actor.ID) {
	sum := map[actor.ID]int64{}
	for _, n := range o.list {
		sum[n.source] += n.usage
	}
	for _, n := range o.list { // the first of equals
		if sum[n.source] > sum[worst] {
			worst = n.source
		}
	}
	return worst
}

func (o *orphanage) oldestOf(source actor.ID) *orphan {
	return o.list[slices.IndexFunc(o.list, func(n *orphan) bool { return n.source == source })]
}

func (o *orphanage) expire(before time.Time) {
	for len(o.list) > 0 && o.list[0].came.Before(before) {
		o.drop(o.list[0])
	}
}

func (o *orphanage) drop(n *orphan) {
	delete(o.byWTxID, n.id.WTxID)
	o.list = slices.DeleteFunc(o.list, func(other *orphan) bool { return other == n })
	o.queue = slices.DeleteFunc(o.queue, func(other *orphan) bool { return other == n })
	o.usage -= n.usage
	for _, in := range n.tx.TxIn {
		out := in.PreviousOutPoint
		o.spends[out] = slices.DeleteFunc(o.spends[out], func(other *orphan) bool { return other == n })
		if len(o.spends[out]) == 0 {
			delete(o.spends, out)
		}
	}
}

// ready queues those that spend outputs of a transaction, now that it has come.
func (o *orphanage) ready(tx *wire.MsgTx, txid chainhash.Hash) {
	if len(o.list) == 0 {
		return
	}
	for i := range tx.TxOut {
		for _, n := range o.spends[wire.OutPoint{Hash: txid, Index: uint32(i)}] {
			if !n.queued {
				n.queued = true
				o.queue = append(o.queue, n)
			}
		}
	}
}

// dropRivals drops those that spend what a transaction of a block spends.
func (o *orphanage) dropRivals(tx *wire.MsgTx) {
	if len(o.list) == 0 {
		return
	}
	for _, in := range tx.TxIn {
		for _, n := range slices.Clone(o.spends[in.PreviousOutPoint]) {
			o.drop(n)
		}
	}
}

// keepOrphan keeps what was offered until its parents come.
func (p *Pool) keepOrphan(id chain.TxID, o Offer) {
	p.orphans.add(&orphan{
		tx: o.Tx, id: id, source: o.Source, came: p.cfg.Now(),
		weight: blockchain.GetTransactionWeight(btcutil.NewTx(o.Tx)),
		usage:  txUsage(o.Tx),
	})
	p.countOrphans()
}

func (p *Pool) dropOrphan(wtxid chainhash.Hash) {
	if n := p.orphans.byWTxID[wtxid]; n != nil {
		p.orphans.drop(n)
		p.countOrphans()
	}
}

// countOrphans tells readers how many there are.
func (p *Pool) countOrphans() { p.locked(func() { p.waiting = len(p.orphans.list) }) }

// tryOrphans tries those again whose parents have come, as many as the budget
// allows. Their children follow.
func (p *Pool) tryOrphans() error {
	for budget := int64(orphanBudget); budget > 0 && len(p.orphans.queue) > 0; {
		n := p.orphans.queue[0]
		p.orphans.queue = p.orphans.queue[1:]
		n.queued = false
		budget -= n.weight
		_, r, err := p.admit(Offer{Tx: n.tx, Source: n.source, Orphan: true})
		if err != nil {
			return err
		}
		if r == nil {
			p.orphans.ready(n.tx, n.id.TxID)
		} else if r.code != chain.TxOrphan {
			p.dropOrphan(n.id.WTxID)
		}
	}
	return nil
}
