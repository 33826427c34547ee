package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/chain/engine/pool"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// PoolFile says what LoadPool reads.
type PoolFile struct {
	Path string // of mempool.dat; it need not exist
	// Expiry is how old a transaction may be. An older one is left out.
	Expiry time.Duration
	// Loaded is called when all that the file has was read. Until then the file
	// must not be written over.
	Loaded func()
	Log    func(actor.Level, string)
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// loader submits the transactions of mempool.dat one after the other, as an RPC handler
// would. So blocks pass them, and a stop waits for the one in hand at most.
type loader struct {
	PoolFile
	asker adapter.Asker
	ports LoaderPorts

	ours                             map[chainhash.Hash]bool // by txid: RPC sent them
	size                             uint64                  // transactions in the file
	accepted, failed, expired, known uint64
	tenths                           uint64 // of the file, that the log has told
}

// loaderPause is how long the loader waits before it asks again what found no answer. The
// chain is busy with a block then, or is being rebuilt.
const loaderPause = time.Second

// run loads the file.
func (l *loader) run(ctx context.Context) {
	if l.Now == nil {
		l.Now = time.Now
	}
	l.readOurs(ctx)
	f, err := pool.OpenFile(l.Path)
	if errors.Is(err, os.ErrNotExist) {
		l.Loaded()
		return
	}
	if err == nil {
		err = l.load(ctx, f)
		_ = f.Close() // it was only read
	}
	if errors.Is(err, errStopped) {
		l.Log(actor.Info, fmt.Sprintf("stopped while mempool.dat was loaded (%d of %d transactions); the file stays as it is", l.done(), l.size))
		return
	}
	if err != nil && !l.aside(err) {
		return
	}
	if err == nil || l.done() > 0 {
		l.Log(actor.Info, fmt.Sprintf("imported mempool transactions from file: %d succeeded, %d failed, %d expired, %d already there",
			l.accepted, l.failed, l.expired, l.known))
	}
	l.Loaded()
}

// readOurs reads which transactions of the file RPC sent. These names stand behind all of
// them, so the file is read twice. What is wrong with it shows in the second reading.
func (l *loader) readOurs(ctx context.Context) {
	f, err := pool.OpenFile(l.Path)
	if err != nil {
		return
	}
	defer f.Close() // it was only read
	for err == nil && ctx.Err() == nil {
		_, err = f.Next()
	}
	l.ours = map[chainhash.Hash]bool{}
	for _, txid := range f.Unbroadcast() {
		l.ours[txid] = true
	}
}

// errStopped says that the node stops.
var errStopped = errors.New("the node stops")

func (l *loader) done() uint64 { return l.accepted + l.failed + l.expired + l.known }

// load submits all transactions of a file, and then the deltas of others.
func (l *loader) load(ctx context.Context, f *pool.File) error {
	l.size = f.Len()
	for {
		tx, err := f.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = l.submit(ctx, tx)
		}
		if err != nil {
			return err
		}
		l.tell()
	}
	for _, d := range f.Deltas() {
		if err := l.prioritise(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// submit submits one transaction. Its delta comes first: it may decide whether the
// transaction is taken.
func (l *loader) submit(ctx context.Context, tx pool.FileTx) error {
	id := chain.NameOf(tx.Tx)
	if l.Now().Sub(tx.Added) > l.Expiry {
		l.expired++
		return nil
	}
	if err := l.prioritise(ctx, pool.Priority{TxID: id.TxID, Delta: tx.Delta}); err != nil {
		return err
	}
	v, err := persist(ctx, l, l.ports.Submit, chain.SubmitTx{Tx: tx.Tx, ID: id, Ours: l.ours[id.TxID], Added: tx.Added})
	switch {
	case err != nil:
		return err
	case v.Code == chain.TxFatal:
		return errStopped
	case v.Code == chain.TxOK:
		l.accepted++
	case v.Code == chain.TxKnown:
		l.known++
	default:
		l.failed++
	}
	return nil
}

// prioritise adds a delta. If its answer is lost it is added twice, which an owner can
// see and take back.
func (l *loader) prioritise(ctx context.Context, p pool.Priority) error {
	if p.Delta == 0 {
		return nil
	}
	_, err := persist(ctx, l, l.ports.Prioritise, chain.Prioritise{TxID: p.TxID, Delta: p.Delta})
	return err
}

// persist asks until there is an answer. It fails with errStopped when ctx ends.
//
// correctness: waits for an answer, or for the clock between two questions, and holds
// nothing but the loader's asker. ctx ends both.
func persist[Q actor.Question[A, T], A, T any](ctx context.Context, l *loader, p actor.Port[Q, A], q Q) (A, error) {
	for {
		a, err := adapter.Ask(ctx, l.asker, p, q)
		if err == nil {
			return a, nil
		}
		again := time.NewTimer(loaderPause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return a, errStopped
		}
	}
}

// tell logs each tenth of the file.
func (l *loader) tell() {
	const parts = 10
	if tenths := l.done() * parts / l.size; tenths > l.tenths && tenths < parts {
		l.tenths = tenths
		l.Log(actor.Info, fmt.Sprintf("loading mempool.dat: %d%% (%d tried, %d remaining)", tenths*100/parts, l.done(), l.size-l.done()))
	}
}

// maxAside is how many damaged files are kept beside each other.
const maxAside = 100

// aside moves a damaged file out of the way, so that it is not written over. It is false
// if the file must stay where it is.
func (l *loader) aside(err error) bool {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		l.Log(actor.Warn, fmt.Sprintf("%v; the pool is not loaded, and will not be written there", err))
		return false
	}
	for i := range maxAside {
		to := l.Path + ".damaged"
		if i > 0 {
			to = fmt.Sprintf("%s.%d", to, i)
		}
		if _, missing := os.Lstat(to); !errors.Is(missing, os.ErrNotExist) {
			continue
		}
		if os.Rename(l.Path, to) == nil {
			l.Log(actor.Warn, fmt.Sprintf("%v: moved to %s; %d transactions of it are in the pool", err, to, l.accepted))
			return true
		}
		break
	}
	l.Log(actor.Warn, fmt.Sprintf("%v; it cannot be moved, and will not be written over", err))
	return false
}
