package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the database driver
	"github.com/btcsuite/btcd/txscript/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Config says what Open opens.
type Config struct {
	// DataDir is the directory of one network; it is made if it is missing.
	DataDir string
	// Params are the network's. They are copied.
	Params *chaincfg.Params
	// UtxoCacheBytes bounds btcd's cache of unspent outputs.
	UtxoCacheBytes uint64
	// PruneBytes is the size of block files to keep; zero: all. btcd wants at
	// least 1536 MiB.
	PruneBytes uint64
	// AddCheckpoints go beside the network's, NoCheckpoints means none at all.
	AddCheckpoints []chaincfg.Checkpoint
	NoCheckpoints  bool
	// Progress, if set, is called while Open and Close take their time, at
	// most about once a second.
	Progress func(Progress)
	// Log, if set, takes log records. It is called from the engine's
	// goroutines.
	Log func(actor.Level, string)
	// Interrupt, if set and closed, ends Open early with ErrInterrupted.
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

	// work is held by the worker for as long as it works, and by Close.
	//
	//correctness: there is one worker, so that only Close ever waits, for the
	//call in progress; the worker takes mu below it, never the other way.
	work   sync.Mutex
	file   *headerFile
	notes  []note        // of the ProcessBlock in progress
	events []chain.Event // that chain has not confirmed, up to number last
	last   uint64
	fatal  string // why nothing may be changed any more

	// life is held by each reader for one answer, and by Close.
	//
	//correctness: a reader waits for the disk at most; Close comes after the
	//node has stopped asking.
	life   sync.RWMutex
	closed bool

	// mu guards what follows, which the worker changes and readers look at.
	//
	//correctness: a leaf but for btcd's chain lock, which only the worker takes
	//under it, and nobody else holds for long at that time. It is held for one
	//message of headers at most (2,000: some 20 ms), never while a block is
	//processed.
	mu    sync.Mutex
	tree  *tree
	valid *validity
	tips  chain.Tips
}

// Open opens the chain in a directory, or makes a new one. The headers ahead of
// the blocks are checked again, 50,000 a second or more. Its errors are one line
// each, for the user.
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
		//correctness: for the disk, before there is anybody to wait for it.
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
// read. When the system refused something, the database may be good.
func (e *Engine) unreadable(err error) error {
	path := filepath.Join(e.cfg.DataDir, dbName)
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.Err != nil {
		err = dbErr.Err // which it does not unwrap to, and says all
	}
	if cause := why(err); cause != err {
		return fmt.Errorf("--datadir: cannot open the block database %s, %w; want a directory that can be read and written, on a disk with room", path, cause)
	}
	return fmt.Errorf("--datadir: the block database %s is damaged (%w); move it away to download the chain again", path, err)
}

// why is what the system said, without the path that the message names.
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
	e.chain.Subscribe(e.onNotification)
	e.valid = newValidity()
	if err := e.loadHeaders(); err != nil {
		return err
	}
	e.refreshTips()
	return nil
}

// loadChain loads what btcd has stored, and adds up its work.
func (e *Engine) loadChain() error {
	e.chain, e.tree = nil, nil // those of an earlier call, before there are two
	err := during(e.cfg.Progress, "loading the block index", func() (err error) {
		e.chain, err = blockchain.New(&blockchain.Config{
			DB:               e.db,
			UtxoCacheMaxSize: e.cfg.UtxoCacheBytes,
			Interrupt:        e.cfg.Interrupt,
			ChainParams:      e.params,
			Checkpoints:      checkpoints(e.cfg),
			TimeSource:       blockchain.NewMedianTime(),
			SigCache:         txscript.NewSigCache(sigCacheSize),
			HashCache:        txscript.NewHashCache(sigCacheSize),
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

// checkPruned refuses to go on without pruning once blocks are gone.
func (e *Engine) checkPruned() error {
	pruned := false
	//correctness: for the disk, before there is anybody to wait for it.
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

// loadWork walks up the best chain once, so that its anchors are known.
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
	default: // also when there is nobody to interrupt
		return false
	}
}

// Tips are the tips as they are now.
func (e *Engine) Tips() chain.Tips {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tips
}

// Close waits for the calls in progress, writes what is cached and closes the
// database. It can take minutes when the cache is large, and reports meanwhile.
// Questions after it are answered with nothing.
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
	//correctness: for the disk, however slow, because what is not written is
	//lost. Worker and readers that come meanwhile wait for the locks that this
	//holds, and no cell waits for them.
	err := during(e.cfg.Progress, "writing the chain state", func() error {
		var flush error
		if e.fatal == "" {
			flush = e.chain.FlushUtxoCache(blockchain.FlushRequired)
		}
		// After a fatal error the cache may hold half a block, or one that
		// the database has not: what is on the disk is good, and btcd
		// brings itself up to date from there.
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

// guard runs f; a panic of btcd's is a fatal error, with its stack in the log.
func (e *Engine) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			e.cfg.Log(actor.Error, fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
			e.fail(fmt.Errorf("panic: %v", r))
		}
	}()
	f()
}

// refreshTips finds the tips anew. The caller holds mu, or nobody else is there
// yet.
func (e *Engine) refreshTips() {
	best := e.chain.BestSnapshot()
	block := e.tree.must(best.Hash)
	e.tips = chain.Tips{
		Block:      block.Point,
		Header:     e.bestHeader(block).Point,
		MedianTime: second(best.MedianTime),
	}
}

// second is a time as every header has it: whole seconds, comparable with ==.
func second(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }
