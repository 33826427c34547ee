package pool

import (
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// Chain is what the pool asks of the chain. btcd's BlockChain has it.
type Chain interface {
	FetchUtxoView(*btcutil.Tx) (*blockchain.UtxoViewpoint, error)
	CalcSequenceLock(*btcutil.Tx, *blockchain.UtxoViewpoint, bool) (*blockchain.SequenceLock, error)
	IsDeploymentActive(uint32) (bool, error)
	BestSnapshot() *blockchain.BestState
}

// Config says what New makes.
type Config struct {
	Chain  Chain
	Params *chaincfg.Params
	// The caches are those of the chain, so that nothing is verified twice.
	SigCache  *txscript.SigCache
	HashCache *txscript.HashCache

	MaxBytes    int64         // of memory; zero: DefaultMaxBytes
	MinRelayFee int64         // satoshi per 1,000 virtual bytes
	Expiry      time.Duration // zero: DefaultExpiry
	// Now is the clock; nil: the system's.
	Now func() time.Time
}

// Pool is the pool of transactions. One goroutine changes it, the engine's worker.
// Any may call the methods of read.go.
type Pool struct {
	cfg   Config
	rules *mempool.TxPool           // always empty between two calls: see check.go
	view  *blockchain.UtxoViewpoint // of the transaction in hand

	orphans *orphanage
	back    returned
	events  []chain.TxEvent // since they were taken last
	walk    uint64          // the last walk's number: see entry.walked

	// mu guards what follows. The worker changes it, and readers look at it. So
	// the worker looks without it.
	//
	//correctness: it is a leaf: under it nothing is called that waits. It is held
	//for one transaction's change, or for the copy of a few entries.
	mu    sync.Mutex
	index index
	fee   rolling
	// deltas are what Prioritise has added to fees, also of transactions that are
	// not in the pool.
	deltas   map[chainhash.Hash]int64
	sequence uint64
	waiting  int // orphans
}

// New returns an empty pool.
func New(cfg Config) *Pool {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.Expiry == 0 {
		cfg.Expiry = DefaultExpiry
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Pool{
		cfg:     cfg,
		orphans: newOrphanage(),
		index:   newIndex(),
		deltas:  map[chainhash.Hash]int64{},
	}
	p.rules = mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion:      maxVersion,
			MaxSigOpCostPerTx: maxSigOpCost,
			// Fees are not btcd's business: see fees.go.
			DisableRelayPriority: true,
		},
		ChainParams:    cfg.Params,
		FetchUtxoView:  func(*btcutil.Tx) (*blockchain.UtxoViewpoint, error) { return p.view, nil },
		BestHeight:     func() int32 { return cfg.Chain.BestSnapshot().Height },
		MedianTimePast: func() time.Time { return cfg.Chain.BestSnapshot().MedianTime },
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return cfg.Chain.CalcSequenceLock(tx, view, true)
		},
		IsDeploymentActive: cfg.Chain.IsDeploymentActive,
		SigCache:           cfg.SigCache,
		HashCache:          cfg.HashCache,
	})
	return p
}

// locked runs f under the mutex.
func (p *Pool) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// TakeEvents returns what has happened since it was called last.
func (p *Pool) TakeEvents() []chain.TxEvent {
	events := p.events
	p.events = nil
	return events
}

// accepted tells that a transaction is in the pool now. Those that come one after
// the other are told together.
func (p *Pool) accepted(tx chain.PoolTx) {
	if n := len(p.events); n > 0 {
		if last, ok := p.events[n-1].(chain.TxAccepted); ok {
			last.Txs = append(last.Txs, tx)
			p.events[n-1] = last
			return
		}
	}
	p.events = append(p.events, chain.TxAccepted{Txs: []chain.PoolTx{tx}})
}

// removed tells that transactions have left the pool.
func (p *Pool) removed(reason chain.Removal, ids ...chain.TxID) {
	if len(ids) > 0 {
		p.events = append(p.events, chain.TxRemoved{Reason: reason, Txs: ids})
	}
}

// Prioritise adds to the fee that a transaction counts with.
func (p *Pool) Prioritise(txid chainhash.Hash, delta int64) {
	p.locked(func() {
		sum := p.deltas[txid] + delta
		if sum == 0 {
			delete(p.deltas, txid)
		} else {
			p.deltas[txid] = sum
		}
		if e := p.index.byTxID[txid]; e != nil {
			p.index.prioritise(e, delta)
		}
		for other := range p.deltas {
			if len(p.deltas) <= maxDeltas {
				break
			}
			if other != txid && p.index.byTxID[other] == nil {
				delete(p.deltas, other)
			}
		}
	})
}

// Spends says whether a transaction of the pool spends an output.
func (p *Pool) Spends(out wire.OutPoint) bool { return p.index.spends[out] != nil }

// Output returns an output of a transaction in the pool, or nil.
func (p *Pool) Output(out wire.OutPoint) *wire.TxOut {
	e := p.index.byTxID[out.Hash]
	if e == nil || int(out.Index) >= len(e.tx.TxOut) {
		return nil
	}
	return e.tx.TxOut[out.Index]
}
