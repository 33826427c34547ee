package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
)

// loadedAt is when the tests load. The file's transactions are younger or older.
var loadedAt = time.Unix(1_700_000_000, 0)

const twoWeeks = 336 * time.Hour

// filed is a transaction of a test's file.
type filed struct {
	age   time.Duration
	delta int64
	ours  bool
}

func txNumber(n int) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{byte(n), 1}}, nil, wire.TxWitness{{1}}))
	tx.AddTxOut(wire.NewTxOut(int64(n), []byte{0x51}))
	return tx
}

// rest is the delta of a transaction that is not in the file.
var rest = chain.Prioritise{TxID: chainhash.Hash{9}, Delta: -7}

// poolFile is a file as Core writes it, version 1, with a delta behind the transactions.
func poolFile(txs ...filed) []byte {
	var b bytes.Buffer
	number := func(n uint64) { b.Write(binary.LittleEndian.AppendUint64(nil, n)) }
	number(1)
	number(uint64(len(txs)))
	for n, tx := range txs {
		_ = txNumber(n).Serialize(&b)
		number(uint64(loadedAt.Add(-tx.age).Unix()))
		number(uint64(tx.delta))
	}
	b.WriteByte(1)
	b.Write(rest.TxID[:])
	delta := rest.Delta
	number(uint64(delta))
	var ours []chainhash.Hash
	for n, tx := range txs {
		if tx.ours {
			ours = append(ours, txNumber(n).TxHash())
		}
	}
	b.WriteByte(byte(len(ours)))
	for _, txid := range ours {
		b.Write(txid[:])
	}
	return b.Bytes()
}

// poolChain is a chain that answers the loader: an adapter.Asker.
type poolChain struct {
	asked  []any
	answer func(chain.SubmitTx) (chain.TxVerdict, error)
}

func (c *poolChain) Ask(_ context.Context, _ int, _ actor.ID, q, none any) (any, error) {
	c.asked = append(c.asked, q)
	if submit, ok := q.(chain.SubmitTx); ok {
		return c.answer(submit)
	}
	return none, nil
}

var levelNames = map[actor.Level]string{actor.Warn: "warn", actor.Info: "info"}

// loading is a loader with a file, and what it has told.
type loading struct {
	*poolChain
	dir    string
	told   []string
	loaded int
}

func load(t *testing.T, ctx context.Context, file []byte, answer func(chain.SubmitTx) (chain.TxVerdict, error)) *loading {
	t.Helper()
	l := &loading{poolChain: &poolChain{answer: answer}, dir: t.TempDir()}
	if file != nil {
		if err := os.WriteFile(l.path(), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.run(ctx)
	return l
}

func (l *loading) path() string { return filepath.Join(l.dir, "mempool.dat") }

func (l *loading) run(ctx context.Context) {
	var p actor.Ports
	one := loader{
		PoolFile: PoolFile{
			Path: l.path(), Expiry: twoWeeks, Loaded: func() { l.loaded++ }, Now: func() time.Time { return loadedAt },
			Log: func(level actor.Level, msg string) {
				l.told = append(l.told, fmt.Sprint(levelNames[level], " ", strings.ReplaceAll(msg, l.dir, "DIR")))
			},
		},
		asker: l.poolChain, ports: ConnectLoader(&p, Derive(8, 1)),
	}
	one.run(ctx)
}

func (l *loading) want(t *testing.T, loaded int, told ...string) {
	t.Helper()
	if l.loaded != loaded || !slices.Equal(l.told, told) {
		t.Errorf("loaded %d times, and told\n%s\nwant %d times, and\n%s", l.loaded, strings.Join(l.told, "\n"), loaded, strings.Join(told, "\n"))
	}
}

func accept(chain.SubmitTx) (chain.TxVerdict, error) { return chain.TxVerdict{Code: chain.TxOK}, nil }

// Each transaction is submitted with the time at which it came, after its delta, and one
// that is too old is left out. What RPC sent is announced again until a peer asks for it. The line at the end counts what became of them.
func TestLoader(t *testing.T) {
	codes := []chain.TxCode{chain.TxOK, chain.TxOK, chain.TxKnown, chain.TxPolicy, chain.TxOrphan}
	l := load(t, t.Context(), poolFile(filed{}, filed{age: twoWeeks + time.Second, delta: 50}, filed{age: twoWeeks, delta: 100, ours: true}, filed{}, filed{}, filed{ours: true}),
		func(chain.SubmitTx) (chain.TxVerdict, error) {
			code := codes[0]
			codes = codes[1:]
			return chain.TxVerdict{Code: code}, nil
		})
	l.want(t, 1,
		"info loading mempool.dat: 10% (1 tried, 5 remaining)", "info loading mempool.dat: 30% (2 tried, 4 remaining)",
		"info loading mempool.dat: 50% (3 tried, 3 remaining)", "info loading mempool.dat: 60% (4 tried, 2 remaining)",
		"info loading mempool.dat: 80% (5 tried, 1 remaining)",
		"info imported mempool transactions from file: 2 succeeded, 2 failed, 1 expired, 1 already there")
	var got []string
	for _, q := range l.asked {
		switch q := q.(type) {
		case chain.SubmitTx:
			got = append(got, fmt.Sprint("tx ", q.Tx.TxOut[0].Value, " of ", loadedAt.Sub(q.Added), " ago, ours: ", q.Ours))
			if q.ID.TxID != q.Tx.TxHash() || q.ID.WTxID != q.Tx.WitnessHash() || q.Test || q.Orphan || q.Source != 0 {
				t.Errorf("submitted %+v", q)
			}
		case chain.Prioritise:
			got = append(got, fmt.Sprint("delta ", q.Delta))
		}
	}
	want := []string{"tx 0 of 0s ago, ours: false", "delta 100", "tx 2 of 336h0m0s ago, ours: true",
		"tx 3 of 0s ago, ours: false", "tx 4 of 0s ago, ours: false", "tx 5 of 0s ago, ours: true", "delta -7"}
	if !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// The first start of a node is no error.
func TestLoaderWithoutAFile(t *testing.T) {
	load(t, t.Context(), nil, accept).want(t, 1)
}

// A file that is damaged is moved aside, beside earlier ones, and what it has before the
// damage is in the pool.
func TestLoaderOfADamagedFile(t *testing.T) {
	file := poolFile(filed{}, filed{})
	l := load(t, t.Context(), file[:len(file)-70], accept)
	l.want(t, 1, "info loading mempool.dat: 50% (1 tried, 1 remaining)",
		"warn DIR/mempool.dat is damaged after 1 of 2 transactions (it ends too early): moved to DIR/mempool.dat.damaged; 1 transactions of it are in the pool",
		"info imported mempool transactions from file: 1 succeeded, 0 failed, 0 expired, 0 already there")
	kept, err := os.ReadFile(l.path() + ".damaged")
	if err != nil || !bytes.Equal(kept, file[:len(file)-70]) {
		t.Errorf("the damaged file was not kept: %v", err)
	}
	if err := os.WriteFile(l.path(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.told = nil
	l.run(t.Context())
	l.want(t, 2, "warn DIR/mempool.dat is damaged after 0 of 0 transactions (it ends too early): moved to DIR/mempool.dat.damaged.1; 0 transactions of it are in the pool")
	if again, err := os.ReadFile(l.path() + ".damaged"); err != nil || !bytes.Equal(again, kept) {
		t.Error("the first damaged file was lost")
	}
}

// A file that the system does not give stays where it is, and is not written over.
func TestLoaderOfAFileThatCannotBeRead(t *testing.T) {
	l := load(t, t.Context(), nil, accept)
	if err := os.Symlink("mempool.dat", l.path()); err != nil { // without end
		t.Fatal(err)
	}
	l.told, l.loaded = nil, 0
	l.run(t.Context())
	l.want(t, 0, "warn DIR/mempool.dat cannot be read: too many levels of symbolic links; the pool is not loaded, and will not be written there")
	if _, err := os.Lstat(l.path()); err != nil {
		t.Error(err)
	}
}

// L8: a stop ends the loading, and the file, of which a part is not loaded, stays.
func TestL8TheLoaderStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := load(t, ctx, poolFile(filed{}, filed{}), func(q chain.SubmitTx) (chain.TxVerdict, error) {
		if q.Tx.TxOut[0].Value == 1 {
			cancel()
			return chain.TxVerdict{}, context.Canceled
		}
		return accept(q)
	})
	l.want(t, 0, "info loading mempool.dat: 50% (1 tried, 1 remaining)",
		"info stopped while mempool.dat was loaded (1 of 2 transactions); the file stays as it is")
	if _, err := os.Stat(l.path()); err != nil {
		t.Error(err)
	}
	l = load(t, t.Context(), poolFile(filed{}), func(chain.SubmitTx) (chain.TxVerdict, error) {
		return chain.TxVerdict{Code: chain.TxFatal}, nil
	})
	l.want(t, 0, "info stopped while mempool.dat was loaded (0 of 1 transactions); the file stays as it is")
}

// L9: a chain that does not answer in time, or dies, costs no transaction. It is left
// alone for a while each time.
func TestL9TheLoaderAsksAgain(t *testing.T) {
	file := poolFile(filed{}, filed{})
	bubble.Run(t, func(t *testing.T) {
		failures, begin := []error{actor.ErrTimeout, actor.ErrBusy, actor.ErrGone}, time.Now()
		l := load(t, t.Context(), file, func(q chain.SubmitTx) (chain.TxVerdict, error) {
			if len(failures) > 0 {
				err := failures[0]
				failures = failures[1:]
				return chain.TxVerdict{}, err
			}
			return accept(q)
		})
		l.want(t, 1, "info loading mempool.dat: 50% (1 tried, 1 remaining)",
			"info imported mempool transactions from file: 2 succeeded, 0 failed, 0 expired, 0 already there")
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("three failures took %v, want a second each", took)
		}
	})
}
