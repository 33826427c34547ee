package engine

import (
	"fmt"
	"path/filepath"
	"time"

	"acyclic/chain"
	"acyclic/chain/engine/pool"
	"acyclic/internal/kernel/actor"
)

// PoolConfig are the settings of the pool of transactions.
type PoolConfig struct {
	MaxBytes int64 // of memory (--maxmempool); zero: Bitcoin Core's default
	// MinRelayFee is in satoshi per 1,000 virtual bytes (--minrelaytxfee). Zero:
	// Bitcoin Core's default; FreeRelay: none.
	MinRelayFee int64
	Expiry      time.Duration // zero: Bitcoin Core's default
	// Persist has Close write mempool.dat (--persistmempool). Who reads it is not
	// the engine: see SetPoolLoaded.
	Persist bool
}

// FreeRelay is a MinRelayFee of nothing.
const FreeRelay = -1

// openPool makes an empty pool.
func (e *Engine) openPool() {
	c := e.cfg.Pool
	fee := c.MinRelayFee
	switch {
	case fee == 0:
		fee = pool.DefaultMinRelayFee
	case fee < 0:
		fee = 0
	}
	e.pool = pool.New(pool.Config{
		Chain: e.chain, Params: e.params, SigCache: e.sigCache, HashCache: e.hashCache,
		MaxBytes: c.MaxBytes, MinRelayFee: fee, Expiry: c.Expiry,
	})
	if !c.Persist {
		e.poolLoaded.Store(true)
	}
}

// PoolPath is where the pool is written to and read from.
func (e *Engine) PoolPath() string { return filepath.Join(e.cfg.DataDir, "mempool.dat") }

// SetPoolLoaded says that mempool.dat was read to its end, or that there was none.
// Until then it is not written, so what is in it cannot be lost. Any goroutine may
// call it.
func (e *Engine) SetPoolLoaded() { e.poolLoaded.Store(true) }

// keepPool writes mempool.dat when the engine is closed.
func (e *Engine) keepPool() {
	if !e.cfg.Pool.Persist || !e.poolLoaded.Load() {
		return
	}
	//correctness: for the disk; nobody waits for an engine that is being closed.
	if err := e.pool.Save(e.PoolPath()); err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("the pool of transactions is lost: %v", err))
	}
}

func (e *Engine) onApplyTx(q chain.ApplyTx) chain.TxApplied {
	var v chain.TxVerdict
	if e.fatal == "" {
		e.guard(func() {
			var err error
			v, err = e.pool.Accept(pool.Offer{Tx: q.Tx, Source: q.Source, Orphan: q.Orphan, Test: q.Test, Ours: q.Ours, Added: q.Added})
			if err != nil {
				e.fail(err)
			}
			e.tellPool(e.pool.TakeEvents())
		})
	}
	if e.fatal != "" {
		v = chain.TxVerdict{ID: q.ID, Code: chain.TxFatal, Reason: "fatal", Detail: e.fatal}
	}
	return chain.TxApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

// onFindTxOut looks an output up. The worker does it, because btcd does it under its
// chain lock.
func (e *Engine) onFindTxOut(q chain.FindTxOut) chain.TxOutFound {
	a := chain.TxOutFound{}
	if e.fatal == "" {
		e.guard(func() { a.TxOut = e.txOut(q) })
	}
	a.Best = e.Tips().Block
	a.Changes = e.changes(q.Seen)
	return a
}

func (e *Engine) txOut(q chain.FindTxOut) (a chain.TxOut) {
	if q.Pool {
		if e.pool.Spends(q.Out) {
			return a
		}
		if out := e.pool.Output(q.Out); out != nil {
			return chain.TxOut{Known: true, Value: out.Value, Script: out.PkScript, Height: -1}
		}
	}
	entry, err := e.chain.FetchUtxoEntry(q.Out)
	switch {
	case err != nil:
		e.fail(err)
		return a
	case entry == nil || entry.IsSpent():
		return a
	}
	return chain.TxOut{
		Known: true, Value: entry.Amount(), Script: entry.PkScript(),
		Height: entry.BlockHeight(), CoinBase: entry.IsCoinBase(),
	}
}

func (e *Engine) onApplyPriority(q chain.ApplyPriority) chain.PriorityApplied {
	if e.fatal == "" {
		e.guard(func() { e.pool.Prioritise(q.TxID, q.Delta) })
	}
	return chain.PriorityApplied{Changes: e.changes(q.Seen)}
}

// onWritePool writes mempool.dat. The worker does it, so the pool does not change
// meanwhile. 100,000 small transactions take a tenth of a second (BenchmarkSave), and
// longer on a slow disk.
func (e *Engine) onWritePool(q chain.WritePool) chain.PoolWritten {
	a := chain.PoolWritten{PoolSaved: chain.PoolSaved{Path: e.PoolPath()}}
	switch {
	case e.fatal != "":
		a.Error = e.fatal
	case !e.poolLoaded.Load():
		a.Error = "The mempool was not loaded yet"
	default:
		e.guard(func() {
			if err := e.pool.Save(a.Path); err != nil {
				a.Error = err.Error()
			}
		})
	}
	a.Changes = e.changes(q.Seen)
	return a
}

// poolInfo answers GetPoolInfo.
func (e *Engine) poolInfo() chain.PoolInfo {
	info := e.pool.Info()
	info.Loaded = e.poolLoaded.Load()
	return info
}
