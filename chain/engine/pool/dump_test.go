package pool

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// readAll reads a whole file.
func readAll(path string, r io.Reader) (txs []FileTx, f *File, err error) {
	if f, err = readFrom(path, r); err != nil {
		return nil, nil, err
	}
	for {
		tx, err := f.Next()
		if err == io.EOF {
			return txs, f, nil
		}
		if err != nil {
			return txs, f, err
		}
		txs = append(txs, tx)
	}
}

// goldenPlain is a file of version 1, put together by hand: one transaction with
// witness data that came at 1,700,000,000 with 7 satoshi more, a delta of -1 for the
// txid 11..11, and one unbroadcast txid 22..22.
const goldenPlain = "0100000000000000" + "0100000000000000" +
	"02000000" + "0001" + "01" + "aa00000000000000000000000000000000000000000000000000000000000000" + "01000000" + "00" + "ffffffff" +
	"01" + "e803000000000000" + "0151" + "01" + "0151" + "00000000" +
	"00f1536500000000" + "0700000000000000" +
	"01" + "1111111111111111111111111111111111111111111111111111111111111111" + "ffffffffffffffff" +
	"01" + "2222222222222222222222222222222222222222222222222222222222222222"

// goldenKeyed is the same in version 2 with the key 0102030405060708. What follows
// the key is XORed from the file's seventeenth byte on, with the key's second.
func goldenKeyed(t *testing.T) []byte {
	plain, err := hex.DecodeString(goldenPlain)
	if err != nil {
		t.Fatal(err)
	}
	file, _ := hex.DecodeString("0200000000000000" + "08" + "0102030405060708")
	for i, b := range plain[8:] {
		file = append(file, b^byte((17+i)%8+1))
	}
	return file
}

// Files as Bitcoin Core writes them are read.
func TestGoldenFiles(t *testing.T) {
	plain, _ := hex.DecodeString(goldenPlain)
	for name, file := range map[string][]byte{"version 1": plain, "version 2": goldenKeyed(t)} {
		txs, f, err := readAll("mempool.dat", bytes.NewReader(file))
		if err != nil || len(txs) != 1 || f.Len() != 1 {
			t.Fatalf("%s: %d transactions, %v", name, len(txs), err)
		}
		tx := txs[0]
		if tx.Tx.TxIn[0].PreviousOutPoint.Hash[0] != 0xaa || !tx.Tx.HasWitness() || tx.Added != time.Unix(1_700_000_000, 0) || tx.Delta != 7 {
			t.Errorf("%s: %+v", name, tx)
		}
		var ones, twos chainhash.Hash
		copy(ones[:], bytes.Repeat([]byte{0x11}, 32))
		copy(twos[:], bytes.Repeat([]byte{0x22}, 32))
		if d := f.Deltas(); len(d) != 1 || d[0] != (Priority{ones, -1}) {
			t.Errorf("%s: deltas %+v", name, d)
		}
		if u := f.Unbroadcast(); len(u) != 1 || u[0] != twos {
			t.Errorf("%s: unbroadcast %v", name, u)
		}
	}
}

// What is written is read again, and offers itself to another pool.
func TestSaveAndLoad(t *testing.T) {
	r := newRig(t, Config{})
	a := spend(1000, 2, r.coins(1, 1_000_000)...)
	b := spend(2000, 1, outputs(a)[0])
	r.accept(a)
	r.now = r.now.Add(time.Hour)
	r.accept(b)
	r.pool.Prioritise(b.TxHash(), 5)
	r.pool.Prioritise(chainhash.Hash{9}, -6)
	path := filepath.Join(t.TempDir(), "mempool.dat")
	if err := r.pool.Save(path); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := newRig(t, Config{})
	other.chain = r.chain
	other.pool.cfg.Chain = r.chain
	other.now = r.now.Add(time.Hour)
	for {
		tx, err := f.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		other.pool.Prioritise(tx.Tx.TxHash(), tx.Delta)
		if v := other.offer(Offer{Tx: tx.Tx, Added: tx.Added}); v.Code != chain.TxOK {
			t.Errorf("%+v", v)
		}
	}
	for _, d := range f.Deltas() {
		other.pool.Prioritise(d.TxID, d.Delta)
	}
	left, right := r.pool.List().Txs, other.pool.List().Txs
	if len(left) != 2 || len(right) != 2 {
		t.Fatalf("%d transactions were saved and %d loaded", len(left), len(right))
	}
	for i := range left {
		if left[i].ID != right[i].ID || !left[i].Added.Equal(right[i].Added) {
			t.Errorf("transaction %d: %+v, want %+v", i, right[i], left[i])
		}
	}
	if other.pool.deltas[chainhash.Hash{9}] != -6 || other.pool.deltas[b.TxHash()] != 5 {
		t.Errorf("the priorities are %v", other.pool.deltas)
	}
	var plain bytes.Buffer
	w := bufio.NewWriter(&plain)
	if err := r.pool.write(w, nil); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	if txs, _, err := readAll("plain", &plain); err != nil || len(txs) != 2 {
		t.Errorf("version 1: %d transactions, %v", len(txs), err)
	}
}

// A damaged file says so in one line, wherever it ends, and nothing is lost.
func TestADamagedFile(t *testing.T) {
	file := goldenKeyed(t)
	for n := range file {
		_, _, err := readAll("mempool.dat", bytes.NewReader(file[:n]))
		if err == nil {
			t.Fatalf("a file of %d bytes of %d is taken", n, len(file))
		}
		if s := err.Error(); strings.Contains(s, "\n") || !strings.Contains(s, "is damaged after") {
			t.Fatalf("%d bytes: %q", n, s)
		}
	}
	if _, err := readFrom("mempool.dat", bytes.NewReader([]byte{9, 0, 0, 0, 0, 0, 0, 0})); err == nil || !strings.Contains(err.Error(), "version 9") {
		t.Errorf("another version: %v", err)
	}
	short := append([]byte{keyedVersion, 0, 0, 0, 0, 0, 0, 0, 4}, make([]byte, 100)...)
	if _, err := readFrom("mempool.dat", bytes.NewReader(short)); err == nil || !strings.Contains(err.Error(), "a key of 4 bytes") {
		t.Errorf("a short key: %v", err)
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// The file has what is in the pool and nothing else, whatever has left the pool, and
// whatever is left of a save that did not end.
func TestSaveWritesWhatIsThere(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	gone, here := spend(1000, 1, c[0]), spend(1000, 1, c[1])
	r.accept(gone, here)
	r.block(gone)
	path := filepath.Join(t.TempDir(), "mempool.dat")
	if err := os.WriteFile(path+".new", make([]byte, 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.pool.Save(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	txs, _, err := readAll(path, bytes.NewReader(file))
	if err != nil || len(txs) != 1 || txs[0].Tx.TxHash() != here.TxHash() || len(file) > 1000 {
		t.Errorf("%d transactions in %d bytes, %v", len(txs), len(file), err)
	}
}

// A file that cannot be written leaves the old one, and no rest.
func TestAFailedSaveLosesNothing(t *testing.T) {
	r := newRig(t, Config{})
	dir := t.TempDir()
	path := filepath.Join(dir, "mempool.dat")
	if err := r.pool.Save(path); err != nil {
		t.Fatal(err)
	}
	old, _ := os.ReadFile(path)
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.pool.Save(path); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, old) {
		t.Error("the old file has changed")
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a rest is left: %v", err)
	}
}

// No file makes the reader panic, and what it reads it would write again.
func FuzzFile(f *testing.F) {
	plain, _ := hex.DecodeString(goldenPlain)
	f.Add(plain)
	f.Add(plain[:40])
	f.Fuzz(func(t *testing.T, file []byte) {
		txs, r, err := readAll("fuzz", bytes.NewReader(file))
		if err != nil {
			return
		}
		if uint64(len(txs)) != r.Len() {
			t.Fatalf("%d transactions, and it says %d", len(txs), r.Len())
		}
		for _, tx := range txs {
			var again wire.MsgTx
			var buf bytes.Buffer
			if err := tx.Tx.Serialize(&buf); err != nil {
				t.Fatal(err)
			}
			if err := again.Deserialize(&buf); err != nil || again.WitnessHash() != tx.Tx.WitnessHash() {
				t.Fatalf("a transaction has changed: %v", err)
			}
		}
	})
}

// The file names what RPC sent and is news still, which is to be announced again.
func TestWhatRPCSentIsNamedInTheFile(t *testing.T) {
	r := newRig(t, Config{})
	coins := r.coins(5, 1_000_000)
	old, edge, ours, theirs, gone := spend(1000, 1, coins[0]), spend(1000, 1, coins[1]), spend(1000, 1, coins[2]), spend(1000, 1, coins[3]), spend(1000, 1, coins[4])
	r.offer(Offer{Tx: old, Ours: true, Added: r.now.Add(-chain.NewsAge - 1)})
	r.offer(Offer{Tx: edge, Ours: true, Added: r.now.Add(-chain.NewsAge)})
	r.offer(Offer{Tx: theirs, Source: alice})
	r.offer(Offer{Tx: gone, Ours: true})
	r.offer(Offer{Tx: ours, Ours: true})
	r.block(gone)
	path := filepath.Join(t.TempDir(), "mempool.dat")
	if err := r.pool.Save(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, f, err := readAll(path, file)
	if want := []chainhash.Hash{edge.TxHash(), ours.TxHash()}; err != nil || !slices.Equal(f.Unbroadcast(), want) {
		t.Errorf("named are %v (%v), want %v", f.Unbroadcast(), err, want)
	}
}
