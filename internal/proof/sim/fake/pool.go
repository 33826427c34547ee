package fake

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// PoolRules are the policy of the simulated pool.
type PoolRules struct {
	MaxTxs     int           // the pool evicts above that
	MaxOrphans int           // the oldest goes first
	MinFee     int64         // in satoshi per 1,000 virtual bytes
	Expiry     time.Duration // zero: never
	// Bad are the verdicts, by wtxid, on transactions that break a rule which the
	// simulated pool does not look at.
	Bad map[chainhash.Hash]chain.TxCode
}

// pool is the pool of transactions. It is simple rather than quick: it has one list, in
// which parents stand before their children, and looks everything up there.
type pool struct {
	txs      []pooled
	orphans  []chain.ApplyTx // the oldest first
	deltas   map[chainhash.Hash]int64
	sequence uint64
}

// pooled is a transaction in the pool.
type pooled struct {
	chain.PoolTx
	tx     *wire.MsgTx
	height int32
}

func (p *pool) find(txid chainhash.Hash) *pooled {
	for i := range p.txs {
		if p.txs[i].ID.TxID == txid {
			return &p.txs[i]
		}
	}
	return nil
}

// spender is the transaction that spends an output, or nil.
func (p *pool) spender(at wire.OutPoint) *pooled {
	for i := range p.txs {
		if spends(p.txs[i].tx, at) {
			return &p.txs[i]
		}
	}
	return nil
}

// output is an output of a transaction in the pool, or nil.
func (p *pool) output(at wire.OutPoint) *wire.TxOut {
	if t := p.find(at.Hash); t != nil && int(at.Index) < len(t.tx.TxOut) {
		return t.tx.TxOut[at.Index]
	}
	return nil
}

func spends(tx *wire.MsgTx, at wire.OutPoint) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return in.PreviousOutPoint == at })
}

// childOf says whether a transaction spends an output of one of some others.
func childOf(tx *wire.MsgTx, of []chainhash.Hash) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return slices.Contains(of, in.PreviousOutPoint.Hash) })
}

// family lists some transactions of the pool and all that descend from them, parents first.
func (p *pool) family(of ...chainhash.Hash) (list []pooled) {
	names := slices.Clone(of)
	for _, t := range p.txs {
		if slices.Contains(of, t.ID.TxID) || childOf(t.tx, names) {
			names = add(names, t.ID.TxID)
			list = append(list, t)
		}
	}
	return list
}

// fee is what a transaction counts with.
func (p *pool) fee(t pooled) int64 { return t.Fee + p.deltas[t.ID.TxID] }

// sums adds up the fees and sizes of some transactions.
func (p *pool) sums(list []pooled) (fees, size int64) {
	for _, t := range list {
		fees += p.fee(t)
		size += t.VSize
	}
	return fees, size
}

func add(list []chainhash.Hash, h chainhash.Hash) []chainhash.Hash {
	if slices.Contains(list, h) {
		return list
	}
	return append(list, h)
}

// applyTx carries out chain.ApplyTx.
func (s *Store) applyTx(now time.Time, q chain.ApplyTx) chain.TxVerdict {
	v, replaced := s.judge(q)
	if q.Test {
		return v
	}
	switch v.Code {
	case chain.TxOK:
		s.leave(chain.RemovedReplaced, replaced)
		s.enter(s.admit(now, q, v))
		s.adopt(now)
		s.evict()
		if s.pool.find(q.ID.TxID) == nil {
			return refused(q.ID, chain.TxPolicy, "mempool full")
		}
	case chain.TxOrphan:
		if q.Orphan {
			s.keep(q)
		}
	case chain.TxKnown:
		s.resent(q)
	}
	return v
}

func refused(id chain.TxID, code chain.TxCode, reason string) chain.TxVerdict {
	return chain.TxVerdict{ID: id, Code: code, Reason: reason, Detail: id.TxID.String()}
}

// judge says what is to be said of a transaction, and which others it would replace.
func (s *Store) judge(q chain.ApplyTx) (v chain.TxVerdict, replaced []pooled) {
	p := &s.pool
	if code := s.Rules.Bad[q.ID.WTxID]; code != chain.TxOK {
		return refused(q.ID, code, code.String()), nil
	}
	if p.find(q.ID.TxID) != nil {
		return refused(q.ID, chain.TxKnown, "txn-already-in-mempool"), nil
	}
	for at := range outputs(q.Tx) {
		if _, ok := s.coins[at]; ok {
			return refused(q.ID, chain.TxKnown, "txn-already-known"), nil
		}
	}
	if missing := s.missing(q.Tx); len(missing) > 0 {
		v = refused(q.ID, chain.TxOrphan, "missing-inputs")
		v.Missing = missing
		return v, nil
	}
	v = chain.TxVerdict{ID: q.ID, Fee: s.feeOf(q.Tx), VSize: sizeOf(q.Tx)}
	fee := v.Fee + p.deltas[q.ID.TxID]
	switch {
	case v.Fee < 0:
		return refused(q.ID, chain.TxInvalid, "bad-txns-in-belowout"), nil
	case fee*1000 < s.Rules.MinFee*v.VSize:
		return refused(q.ID, chain.TxPolicy, "min relay fee not met"), nil
	}
	var direct []chainhash.Hash
	for _, in := range q.Tx.TxIn {
		if other := p.spender(in.PreviousOutPoint); other != nil {
			direct = add(direct, other.ID.TxID)
		}
	}
	replaced = p.family(direct...)
	sum, _ := p.sums(replaced)
	for _, t := range replaced {
		if childOf(q.Tx, []chainhash.Hash{t.ID.TxID}) {
			return refused(q.ID, chain.TxPolicy, "bad-txns-spends-conflicting-tx"), nil
		}
	}
	if len(replaced) > 0 && fee <= sum {
		return refused(q.ID, chain.TxPolicy, "insufficient fee"), nil
	}
	return v, replaced
}

func (s *Store) feeOf(tx *wire.MsgTx) (fee int64) {
	for _, in := range tx.TxIn {
		fee += s.valued(in.PreviousOutPoint).Value
	}
	for _, out := range tx.TxOut {
		fee -= out.Value
	}
	return fee
}

func weightOf(tx *wire.MsgTx) int64 { return blockchain.GetTransactionWeight(btcutil.NewTx(tx)) }

func sizeOf(tx *wire.MsgTx) int64 { return (weightOf(tx) + 3) / 4 }

// admit makes an entry for a transaction with a good verdict.
func (s *Store) admit(now time.Time, q chain.ApplyTx, v chain.TxVerdict) pooled {
	t := pooled{chain.PoolTx{ID: q.ID, Fee: v.Fee, VSize: v.VSize, Added: q.Added, Source: q.Source, Ours: q.Ours}, q.Tx, s.tip().Height}
	if t.Added.IsZero() {
		t.Added = now
	}
	return t
}

// enter puts transactions into the pool, and says so.
func (s *Store) enter(list ...pooled) {
	s.pool.txs = append(s.pool.txs, list...)
	s.entered(list)
}

// entered says that transactions are in the pool.
func (s *Store) entered(list []pooled) {
	var names []chain.PoolTx
	for _, t := range list {
		t.Ancestors = len(s.pool.ancestors(t.ID.TxID)) - 1
		names = append(names, t.PoolTx)
	}
	s.changed(chain.TxAccepted{Txs: names}, len(names))
}

// leave takes transactions out of the pool, and says so.
func (s *Store) leave(why chain.Removal, list []pooled) {
	var names []chain.TxID
	for _, t := range list {
		names = append(names, t.ID)
	}
	s.pool.txs = slices.DeleteFunc(s.pool.txs, func(t pooled) bool { return slices.Contains(names, t.ID) })
	s.changed(chain.TxRemoved{Reason: why, Txs: names}, len(names))
}

func (s *Store) changed(e chain.TxEvent, txs int) {
	if txs > 0 {
		s.pool.sequence += uint64(txs)
		s.note(e)
	}
}

// resent says that one of the pool was sent once more.
func (s *Store) resent(q chain.ApplyTx) {
	if t := s.pool.find(q.ID.TxID); t != nil && q.Ours {
		t.Ours = true
		s.note(chain.TxResent{Tx: t.PoolTx})
	}
}

// keep remembers an orphan.
func (s *Store) keep(q chain.ApplyTx) {
	p := &s.pool
	if !slices.ContainsFunc(p.orphans, func(o chain.ApplyTx) bool { return o.ID == q.ID }) {
		p.orphans = append(p.orphans, q)
	}
	if more := len(p.orphans) - s.Rules.MaxOrphans; more > 0 {
		p.orphans = slices.Delete(p.orphans, 0, more)
	}
}

// adopt takes in the orphans that have all their parents now. An orphan that would
// replace others is forgotten, as one with a bad verdict is.
func (s *Store) adopt(now time.Time) {
	var list []pooled
	for again := true; again; {
		again = false
		waiting := s.pool.orphans
		s.pool.orphans = nil
		for _, q := range waiting {
			v, replaced := s.judge(q)
			switch {
			case v.Code == chain.TxOrphan:
				s.pool.orphans = append(s.pool.orphans, q)
			case v.Code == chain.TxOK && len(replaced) == 0:
				t := s.admit(now, q, v)
				s.pool.txs = append(s.pool.txs, t)
				list, again = append(list, t), true
			}
		}
	}
	s.entered(list)
}

// evict takes out what pays least, together with its descendants, until the pool is no
// larger than it may be.
func (s *Store) evict() {
	p := &s.pool
	for len(p.txs) > s.Rules.MaxTxs {
		var worst []pooled
		for _, t := range p.txs {
			if f := p.family(t.ID.TxID); worst == nil || p.pays(f, worst) < 0 {
				worst = f
			}
		}
		s.leave(chain.RemovedEvicted, worst)
	}
}

// pays compares the fee rates of two families.
func (p *pool) pays(a, b []pooled) int {
	af, as := p.sums(a)
	bf, bs := p.sums(b)
	switch x, y := af*bs, bf*as; {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// expire takes out what is too old.
func (s *Store) expire(now time.Time) {
	if s.Rules.Expiry == 0 {
		return
	}
	var old []chainhash.Hash
	for _, t := range s.pool.txs {
		if now.Sub(t.Added) > s.Rules.Expiry {
			old = append(old, t.ID.TxID)
		}
	}
	s.leave(chain.RemovedExpired, s.pool.family(old...))
}
