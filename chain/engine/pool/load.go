package pool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// maxFileNames bounds the deltas and names in a file, which one that is damaged
// could claim to have.
const maxFileNames = 1 << 20

// FileTx is a transaction in mempool.dat.
type FileTx struct {
	Tx    *wire.MsgTx
	Added time.Time
	Delta int64
}

// File is a mempool.dat that is being read.
type File struct {
	path string
	r    io.Reader // of the clear text
	file io.Closer
	left uint64
	size uint64 // how many transactions it says it has

	deltas      []Priority
	unbroadcast []chainhash.Hash
	end         error // what Next returns after the transactions, once it is known
}

type maskedReader struct {
	masked
	r io.Reader
}

func (m *maskedReader) Read(b []byte) (int, error) {
	//correctness: for the disk alone. Whoever loads the file is asked by nobody.
	n, err := m.r.Read(b)
	m.apply(b[:n])
	return n, err
}

// OpenFile opens a mempool.dat. Its errors, and those of the methods, are for the
// user, one line each. If the file does not exist, errors.Is(err, os.ErrNotExist).
func OpenFile(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, bare(err))
	}
	f, err := readFrom(path, file)
	if err != nil {
		_ = file.Close() // the first error is the one to report
		return nil, err
	}
	f.file = file
	return f, nil
}

// readFrom begins to read.
func readFrom(path string, r io.Reader) (*File, error) {
	m := &maskedReader{r: bufio.NewReaderSize(r, dumpBuffer)}
	f := &File{path: path, r: m}
	version, err := f.number()
	if err != nil {
		return nil, f.damaged(err)
	}
	switch version {
	case plainVersion:
	case keyedVersion:
		key, err := wire.ReadVarBytes(m, 0, keyBytes, "key")
		if err == nil && len(key) != keyBytes {
			err = fmt.Errorf("a key of %d bytes", len(key))
		}
		if err != nil {
			return nil, f.damaged(err)
		}
		m.key = key
	default:
		return nil, fmt.Errorf("%s has version %d; only %d and %d are known", path, version, plainVersion, keyedVersion)
	}
	if f.size, err = f.number(); err != nil {
		return nil, f.damaged(err)
	}
	f.left = f.size
	return f, nil
}

// damaged says where the file ends to make sense.
func (f *File) damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return fmt.Errorf("%s is damaged after %d of %d transactions (%s)", f.path, f.size-f.left, f.size, clip(err.Error()))
}

func (f *File) number() (n uint64, err error) {
	err = binary.Read(f.r, binary.LittleEndian, &n)
	return n, err
}

// Len is how many transactions the file says it has.
func (f *File) Len() uint64 { return f.size }

// Next returns the next transaction. After the last one it returns io.EOF, and then
// Deltas and Unbroadcast have what else is in the file. Only one transaction is in
// memory at a time.
func (f *File) Next() (tx FileTx, err error) {
	if f.left == 0 {
		return tx, f.readRest()
	}
	tx.Tx = &wire.MsgTx{}
	if err = tx.Tx.Deserialize(f.r); err != nil {
		return FileTx{}, f.damaged(err)
	}
	added, err1 := f.number()
	delta, err2 := f.number()
	if err = errors.Join(err1, err2); err != nil {
		return FileTx{}, f.damaged(err)
	}
	tx.Added, tx.Delta = time.Unix(int64(added), 0), int64(delta)
	f.left--
	return tx, nil
}

// readRest reads what comes after the transactions.
func (f *File) readRest() error {
	if f.end != nil {
		return f.end
	}
	err := f.each("deltas", func(txid chainhash.Hash) error {
		delta, err := f.number()
		f.deltas = append(f.deltas, Priority{txid, int64(delta)})
		return err
	})
	if err == nil {
		err = f.each("names", func(txid chainhash.Hash) error {
			f.unbroadcast = append(f.unbroadcast, txid)
			return nil
		})
	}
	f.end = io.EOF
	if err != nil {
		f.end = f.damaged(err)
	}
	return f.end
}

// each reads a counted list of what begins with a txid.
func (f *File) each(what string, read func(chainhash.Hash) error) error {
	n, err := wire.ReadVarInt(f.r, 0)
	if err != nil {
		return err
	}
	if n > maxFileNames {
		return fmt.Errorf("%d %s", n, what)
	}
	for range n {
		var txid chainhash.Hash
		//correctness: as Read above, for the disk alone.
		if _, err := io.ReadFull(f.r, txid[:]); err != nil {
			return err
		}
		if err := read(txid); err != nil {
			return err
		}
	}
	return nil
}

// Deltas are the priorities of transactions that are not in the file.
func (f *File) Deltas() []Priority { return f.deltas }

// Unbroadcast are the transactions that perhaps no peer has asked for yet.
func (f *File) Unbroadcast() []chainhash.Hash { return f.unbroadcast }

// Close ends the reading.
func (f *File) Close() error { return f.file.Close() }
