package pool

import (
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// refusal says why a transaction is not taken.
type refusal struct {
	code           chain.TxCode
	reason, detail string
	missing        []chainhash.Hash
}

func refuse(code chain.TxCode, reason, format string, args ...any) *refusal {
	return &refusal{code: code, reason: reason, detail: fmt.Sprintf(format, args...)}
}

// checkAlone holds a transaction against the rules that need no other.
func (p *Pool) checkAlone(t *btcutil.Tx) (*refusal, error) {
	if err := blockchain.CheckTransactionSanity(t); err != nil {
		return asRefusal(err)
	}
	if blockchain.IsCoinBase(t) {
		return refuse(chain.TxInvalid, "coinbase", "a coinbase comes in a block alone"), nil
	}
	best := p.cfg.Chain.BestSnapshot()
	if err := mempool.CheckTransactionStandard(t, best.Height+1, best.MedianTime, dustFee, maxVersion); err != nil {
		return asRefusal(err)
	}
	if size := t.MsgTx().SerializeSizeStripped(); size < mempool.MinStandardTxNonWitnessSize {
		return refuse(chain.TxPolicy, "tx-size-small", "%d bytes without witness data, less than %d", size, mempool.MinStandardTxNonWitnessSize), nil
	}
	return nil, nil
}

// fetch looks up the outputs that a transaction spends, in the chain and in the
// pool.
func (p *Pool) fetch(t *btcutil.Tx) (*blockchain.UtxoViewpoint, *refusal, error) {
	view, err := p.cfg.Chain.FetchUtxoView(t)
	if err != nil {
		return nil, nil, err
	}
	known := false
	out := wire.OutPoint{Hash: *t.Hash()}
	for i := range t.MsgTx().TxOut {
		out.Index = uint32(i)
		if made := view.LookupEntry(out); made != nil && !made.IsSpent() {
			known = true
		}
	}
	if known {
		return nil, refuse(chain.TxPolicy, "txn-already-known", "a block has it"), nil
	}
	r := refuse(chain.TxOrphan, "bad-txns-inputs-missingorspent", "")
	seen := map[chainhash.Hash]bool{}
	for _, in := range t.MsgTx().TxIn {
		out := in.PreviousOutPoint
		if have := view.LookupEntry(out); have != nil && !have.IsSpent() {
			continue
		}
		if parent := p.index.byTxID[out.Hash]; parent != nil {
			view.AddTxOut(btcutil.NewTx(parent.tx), out.Index, mining.UnminedHeight)
		}
		if have := view.LookupEntry(out); have != nil && !have.IsSpent() || seen[out.Hash] {
			continue
		}
		seen[out.Hash] = true
		r.missing = append(r.missing, out.Hash)
	}
	if len(r.missing) > 0 {
		r.detail = fmt.Sprintf("unknown or spent: outputs of %d transactions, the first is %v", len(r.missing), r.missing[0])
		return nil, r, nil
	}
	return view, nil, nil
}

// checkInputs says whether a transaction may spend its inputs in the next block, and
// what its fee is.
func (p *Pool) checkInputs(t *btcutil.Tx, view *blockchain.UtxoViewpoint) (fee int64, r *refusal, err error) {
	fee, err = blockchain.CheckTransactionInputs(t, p.cfg.Chain.BestSnapshot().Height+1, view, p.cfg.Params)
	if err != nil {
		r, err = asRefusal(err)
	}
	return fee, r, err
}

// checkLocks says whether the relative locks on a transaction's inputs are open in
// the next block (BIP68).
func (p *Pool) checkLocks(t *btcutil.Tx, view *blockchain.UtxoViewpoint) (*refusal, error) {
	lock, err := p.cfg.Chain.CalcSequenceLock(t, view, true)
	if err != nil {
		return asRefusal(err)
	}
	best := p.cfg.Chain.BestSnapshot()
	if !blockchain.SequenceLockActive(lock, best.Height+1, best.MedianTime) {
		return refuse(chain.TxEarly, "non-BIP68-final", "a relative lock on an input is not open yet"), nil
	}
	return nil, nil
}

// checkRules lets btcd's pool say whether a transaction keeps all the other rules,
// its scripts last. btcd's pool is empty: the view has the outputs of our pool, and
// conflicts are ours to judge. So nothing has to be taken out before and put back
// after, and no transaction is in memory twice.
func (p *Pool) checkRules(t *btcutil.Tx, view *blockchain.UtxoViewpoint) (*refusal, error) {
	p.view = view
	defer func() { p.view = nil }()
	_, _, err := p.rules.MaybeAcceptTransaction(t, true, true)
	if err == nil {
		p.rules.RemoveTransaction(t, false)
		return nil, nil
	}
	r, err := asRefusal(err)
	if err == nil && r.reason == badScript {
		return p.judgeScript(t, view), nil
	}
	return r, err
}
