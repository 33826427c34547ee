package pool

import (
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Offer is a transaction that is offered to the pool.
type Offer struct {
	Tx     *wire.MsgTx
	Source actor.ID // the peer that sent it
	Orphan bool     // keep it for a while if a parent is missing
	Test   bool     // only say what would happen
	Ours   bool     // it is to be announced until a peer asks for it
	Added  time.Time

	// returned says that it comes back after a reorganisation, so its fee does not
	// matter. pooled says that it was in the pool before.
	returned, pooled bool
}

// Accept takes a transaction, or says why not. What has changed is in TakeEvents. An
// error says that the database failed.
func (p *Pool) Accept(o Offer) (chain.TxVerdict, error) {
	e, r, err := p.admit(o)
	if err != nil {
		return chain.TxVerdict{}, err
	}
	if !o.Test && (r == nil || len(p.orphans.queue) > 0) {
		if r == nil {
			p.orphans.ready(o.Tx, e.ID.TxID)
		}
		if err := p.tryOrphans(); err != nil {
			return chain.TxVerdict{}, err
		}
		p.limit()
		if r == nil && e.gone.Load() {
			r = refuse(chain.TxPolicy, "mempool full", "the pool is full of transactions that pay more")
		}
	}
	if r != nil && o.Ours && !o.Test {
		p.resent(e.ID.TxID)
	}
	v := chain.TxVerdict{ID: e.ID}
	if r != nil {
		v.Code, v.Reason, v.Detail, v.Missing = r.code, r.reason, r.detail, r.missing
		return v, nil
	}
	v.Fee, v.VSize = e.Fee, e.VSize
	return v, nil
}

// resent tells that RPC has sent a transaction once more, if the pool has it. If that one
// has other witness data, it is the one that is announced, as in Bitcoin Core.
func (p *Pool) resent(txid chainhash.Hash) {
	if e := p.index.byTxID[txid]; e != nil {
		e.ours.Store(true)
		p.events = append(p.events, chain.TxResent{Tx: e.name()})
	}
}

// admit judges a transaction and puts it into the pool if it is good. The entry that
// it returns has its name in any case.
func (p *Pool) admit(o Offer) (*entry, *refusal, error) {
	t := btcutil.NewTx(o.Tx)
	e, conflicts, r, err := p.judge(t, o)
	if r != nil || err != nil || o.Test {
		if !p.has(*t.Hash()) {
			p.cfg.HashCache.PurgeSigHashes(t.Hash()) // or whoever fails fills the cache
		}
	}
	if r != nil && r.code == chain.TxOrphan && o.Orphan && !o.Test {
		p.keepOrphan(e.ID, o)
	}
	if r != nil || err != nil || o.Test {
		return e, r, err
	}
	ids := p.takeFamily(conflicts)
	p.removed(chain.RemovedReplaced, ids...)
	p.insert(e)
	p.dropOrphan(e.ID.WTxID)
	if !o.pooled {
		p.accepted(e.name())
	}
	return e, nil, nil
}

func (p *Pool) has(txid chainhash.Hash) bool { return p.index.byTxID[txid] != nil }

// judge holds a transaction against all rules, the dearest last. It changes nothing.
func (p *Pool) judge(t *btcutil.Tx, o Offer) (e *entry, conflicts []*entry, r *refusal, err error) {
	e = &entry{}
	e.ID = chain.TxID{TxID: *t.Hash(), WTxID: *t.WitnessHash()}
	switch known := p.index.byTxID[e.ID.TxID]; {
	case known == nil:
	case known.ID == e.ID:
		return e, nil, refuse(chain.TxKnown, "txn-already-in-mempool", "the pool has it"), nil
	default:
		return e, nil, refuse(chain.TxPolicy, "txn-same-nonwitness-data-in-mempool", "the pool has it with other witness data"), nil
	}
	if r, err = p.checkAlone(t); r != nil || err != nil {
		return e, nil, r, err
	}
	view, r, err := p.fetch(t)
	if r != nil || err != nil {
		return e, nil, r, err
	}
	fee, r, err := p.checkInputs(t, view)
	if r != nil || err != nil {
		return e, nil, r, err
	}
	e = newEntry(t, view, fee)
	e.Source, e.Added = o.Source, o.Added
	e.ours.Store(o.Ours)
	if e.Added.IsZero() {
		e.Added = p.cfg.Now()
	}
	e.delta = p.deltas[e.ID.TxID]
	e.height = p.cfg.Chain.BestSnapshot().Height
	conflicts = p.conflicts(e.tx)
	for _, check := range []func() *refusal{
		func() *refusal { return checkWitness(e.tx, view) },
		func() *refusal {
			if o.returned {
				return nil
			}
			return p.checkFee(e)
		},
		func() *refusal { return p.checkRelatives(e, conflicts) },
		func() *refusal { return p.checkReplacement(e, conflicts) },
	} {
		if r = check(); r != nil {
			return e, nil, r, nil
		}
	}
	r, err = p.checkRules(t, view)
	return e, conflicts, r, err
}
