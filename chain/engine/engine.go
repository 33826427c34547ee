package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the database driver
	"github.com/btcsuite/btcd/txscript/v2"

	"acyclic/chain"
	"acyclic/chain/engine/pool"
	"acyclic/internal/kernel/actor"
)

// Config says what Open opens.
type Config struct {
	// DataDir is the directory of one network. Open makes it if it is missing.
	DataDir string
	// Params are the network's. They are copied.
	Params *chaincfg.Params
	// UtxoCacheBytes bounds btcd's cache of unspent outputs.
	UtxoCacheBytes uint64
	// PruneBytes is how much of the block files to keep; zero: all. btcd wants
	// at least 1536 MiB.
	PruneBytes uint64
	// AddCheckpoints are added to the network's. NoCheckpoints removes both.
	AddCheckpoints []chaincfg.Checkpoint
	NoCheckpoints  bool
	// Pool are the settings of the pool of transactions.
	Pool PoolConfig
	// Progress, if set, is called about once a second while Open or Close is at
	// work.
	Progress func(Progress)
	// Log, if set, takes log records. The engine's goroutines call it.
	Log func(actor.Level, string)
	// Interrupt, once it is closed, ends Open early with ErrInterrupted.
	Interrupt <-chan struct{}

	// hook is for tests: btcd calls it under its chain lock.
	hook blockchain.IndexManager
}

// ErrInterrupted says that Open was interrupted.
var ErrInterrupted = errors.New("interrupted while the chain was being opened")

// sigCacheSize is how many verified signatures are remembered, as in btcd:
// 100,000 entries of some 100 bytes.
const sigCacheSize = 100_000

// Engine is an open chain.
type Engine struct {
	cfg    Config
	params *chaincfg.Params // our own copy
	db     database.DB
	chain  *blockchain.BlockChain
	// The caches are shared with the pool, so that nothing is verified twice.
	sigCache  *txscript.SigCache
	hashCache *txscript.HashCache

	// work is held by the worker while it works, and by Close.
	//
	//correctness: there is one worker, so only Close ever waits, for the call in
	//progress. The worker takes mu while it holds work, and nobody takes them
	//the other way round.
	work   sync.Mutex
	file   *headerFile
	notes  []note        // of the ProcessBlock in progress
	events []chain.Event // those that chain has not confirmed, up to number last
	last   uint64
	fatal  string // why nothing may be changed any more
	// pool belongs to the worker. Readers call only its methods that are for them.
	pool *pool.Pool
	// poolLoaded says that mempool.dat was read, so it may be written.
	poolLoaded atomic.Bool

	// life is held by each reader for one answer, and by Close.
	//
	//correctness: a reader that holds it waits for the disk at most. Close comes
	//after the node has stopped asking.
	life   sync.RWMutex
	closed bool

	// mu guards what follows. The worker changes it, and readers look at it.
	//
	//correctness: under it only the worker takes another lock, btcd's chain lock,
	//and nobody else holds that one for long at that time. mu is held for one
	//headers message at most (2,000 headers, some 20 ms), and never while a block
	//is processed.
	mu    sync.Mutex
	tree  *tree
	valid *validity
	tips  chain.Tips
	left  left
}

// Open opens the chain in a directory, or makes a new one. It checks the headers
// ahead of the blocks again, 50,000 a second or more. Its errors are for the user,
// one line each.
func Open(cfg Config) (*Engine, error) {
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	if cfg.Log == nil {
		cfg.Log = func(actor.Level, string) {}
	}
	e := &Engine{cfg: cfg, params: ownParams(cfg.Params)}
	if err := e.openDB(); err != nil {
		return nil, err
	}
	if err := e.load(); err != nil {
		if e.file != nil {
			e.file.close()
		}
		//correctness: for the disk; nobody waits for an engine that is not open.
		_ = e.db.Close() // the first error is the one to report
		return nil, err
	}
	return e, nil
}

// dbName is the block database in the data directory, as btcd calls it.
const dbName = "blocks_ffldb"

// openDB opens or creates the database.
func (e *Engine) openDB() error {
	if err := os.MkdirAll(e.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("--datadir: cannot make %s, %w; want a directory that can be written", e.cfg.DataDir, why(err))
	}
	path := filepath.Join(e.cfg.DataDir, dbName)
	db, err := database.Open("ffldb", path, e.params.Net)
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.ErrorCode == database.ErrDbDoesNotExist {
		db, err = database.Create("ffldb", path, e.params.Net)
	}
	switch {
	case err == nil:
		e.db = db
		return nil
	case errors.As(err, &dbErr) && errors.Is(dbErr.Err, syscall.EAGAIN):
		return fmt.Errorf("--datadir: %s is in use by another process; stop that one or choose another directory", e.cfg.DataDir)
	default:
		return e.unreadable(err)
	}
}

// unreadable says what to do about a block database that cannot be opened or
// read. If the system refused something, the database may be good.
func (e *Engine) unreadable(err error) error {
	path := filepath.Join(e.cfg.DataDir, dbName)
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.Err != nil {
		err = dbErr.Err // it says all, and dbErr does not unwrap to it
	}
	if cause := why(err); cause != err {
		return fmt.Errorf("--datadir: cannot open the block database %s, %w; want a directory that can be read and written, on a disk with room", path, cause)
	}
	return fmt.Errorf("--datadir: the block database %s is damaged (%w); move it away to download the chain again", path, err)
}

// why returns what the system said, without the path that the message names.
func why(err error) error {
	if no := syscall.Errno(0); errors.As(err, &no) {
		return no
	}
	return err
}

// load brings the chain into memory, with the headers ahead of its blocks.
func (e *Engine) load() error {
	for _, step := range []func() error{e.checkPruned, e.loadChain, e.rescue} {
		if err := step(); err != nil {
			return err
		}
	}
	e.openPool()
	e.chain.Subscribe(e.onNotification)
	e.valid = newValidity()
	if err := e.loadHeaders(); err != nil {
		return err
	}
	e.refreshTips()
	return nil
}

// loadChain loads what btcd has stored and adds up its work.
func (e *Engine) loadChain() error {
	e.chain, e.tree = nil, nil // an earlier call's; there must never be two in memory
	e.sigCache, e.hashCache = txscript.NewSigCache(sigCacheSize), txscript.NewHashCache(sigCacheSize)
	err := during(e.cfg.Progress, "loading the block index", func() (err error) {
		e.chain, err = blockchain.New(&blockchain.Config{
			DB:               e.db,
			UtxoCacheMaxSize: e.cfg.UtxoCacheBytes,
			Interrupt:        e.cfg.Interrupt,
			ChainParams:      e.params,
			Checkpoints:      checkpoints(e.cfg),
			TimeSource:       blockchain.NewMedianTime(),
			SigCache:         e.sigCache,
			HashCache:        e.hashCache,
			Prune:            e.cfg.PruneBytes,
			IndexManager:     e.cfg.hook,
		})
		return err
	})
	switch {
	case e.interrupted():
		return ErrInterrupted
	case err != nil && strings.Contains(err.Error(), "genesis block"):
		return fmt.Errorf("--datadir: %s holds the chain of another network than %s; want another directory", e.cfg.DataDir, e.params.Name)
	case err != nil:
		return e.unreadable(err)
	}
	e.tree = newTree(e.chain, &e.params.GenesisBlock.Header, anchorSpacing, recentNodes)
	return e.loadWork()
}

// checkPruned refuses a pruned database if pruning is off now.
func (e *Engine) checkPruned() error {
	pruned := false
	//correctness: for the disk; nobody waits for an engine that is not open.
	err := e.db.View(func(tx database.Tx) (err error) {
		pruned, err = tx.BeenPruned()
		return err
	})
	if err != nil {
		return e.unreadable(err)
	}
	if pruned && e.cfg.PruneBytes == 0 {
		return fmt.Errorf("--prune=0: blocks in %s have been deleted by --prune; give it again, or another --datadir", e.cfg.DataDir)
	}
	return nil
}

// loadWork walks up the best chain once, so that the tree has its anchors.
func (e *Engine) loadWork() error {
	report := newReport(e.cfg.Progress, "adding up the work")
	best := e.chain.BestSnapshot()
	n := e.tree.must(*e.params.GenesisHash)
	for height := int32(1); height <= best.Height; height++ {
		hash := e.tree.byHeight(height)
		h, err := e.chain.HeaderByHash(&hash)
		if err != nil {
			return e.unreadable(err)
		}
		n = e.tree.child(n, hash, &h)
		if height%1000 == 0 {
			report.done(int64(height), int64(best.Height))
			if e.interrupted() {
				return ErrInterrupted
			}
		}
	}
	e.tree.remember(n)
	return nil
}

func (e *Engine) interrupted() bool {
	select {
	case <-e.cfg.Interrupt:
		return true
	default: // also if Interrupt is not set
		return false
	}
}

// Tips returns the tips as they are now.
func (e *Engine) Tips() chain.Tips {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tips
}

// Close waits for the calls in progress, writes what is cached and closes the
// database. With a large cache it can take minutes. It reports its progress. Later
// questions get empty answers.
func (e *Engine) Close() error {
	e.work.Lock()
	defer e.work.Unlock()
	e.life.Lock()
	defer e.life.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.file.close()
	//correctness: for the disk, however slow it is, because what is not written
	//is lost. The worker and readers may wait for the locks meanwhile, and no
	//cell waits for those.
	err := during(e.cfg.Progress, "writing the chain state", func() error {
		var flush error
		if e.fatal == "" {
			e.keepPool()
			flush = e.chain.FlushUtxoCache(blockchain.FlushRequired)
		}
		// After a fatal error the cache may hold half a block, or one that the
		// database lacks. What is on the disk is good, and btcd catches up
		// from there.
		return errors.Join(flush, e.db.Close())
	})
	if e.fatal == "" {
		e.fatal = "the chain is closed"
	}
	if err != nil {
		return fmt.Errorf("closing the chain in %s: %w", e.cfg.DataDir, err)
	}
	return nil
}

// fail notes that the database cannot be relied on any more.
func (e *Engine) fail(err error) {
	if e.fatal == "" {
		e.fatal = fmt.Sprintf("the chain in %s cannot be changed any more: %v", e.cfg.DataDir, err)
	}
}

// guard runs f. If btcd panics, that is a fatal error, and the log has the stack.
func (e *Engine) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			e.cfg.Log(actor.Error, fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
			e.fail(fmt.Errorf("panic: %v", r))
		}
	}()
	f()
}

// refreshTips finds the tips. The caller holds mu, or the engine is not open yet.
func (e *Engine) refreshTips() {
	best := e.chain.BestSnapshot()
	block := e.tree.must(best.Hash)
	e.tips = chain.Tips{
		Block:      block.Point,
		Header:     e.bestHeader(block).Point,
		MedianTime: second(best.MedianTime),
	}
}

// second rounds a time down to whole seconds, as headers have them. The result can
// be compared with ==.
func second(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }
