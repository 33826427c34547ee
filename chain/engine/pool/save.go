package pool

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// mempool.dat is as Bitcoin Core 28 writes it, numbers in little endian:
//
//	version          uint64: 1 or 2
//	key              only in version 2: its length (8) and its bytes
//	transactions     uint64, and for each the transaction with its witness data,
//	                 when it came (int64), what was added to its fee (int64)
//	deltas           a count (compact size), and for each a txid and an int64, of
//	                 transactions that are not in the file
//	unbroadcast      a count, and for each a txid
//
// With a key each byte after it is XORed with the key's byte at its position in the
// file, modulo 8. It keeps other programs from taking the file for something else.

const (
	plainVersion = 1
	keyedVersion = 2
	keyBytes     = 8

	// dumpBuffer is what the file is read and written by.
	dumpBuffer = 1 << 16
)

// Priority is what was added to the fee of a transaction that is not in the file.
type Priority struct {
	TxID  chainhash.Hash
	Delta int64
}

// masked XORs what goes through it.
type masked struct {
	key []byte // empty: not at all
	at  int64  // the position in the file
}

func (m *masked) apply(b []byte) {
	for i := range b {
		if len(m.key) > 0 {
			b[i] ^= m.key[(m.at+int64(i))%int64(len(m.key))]
		}
	}
	m.at += int64(len(b))
}

// scribe writes a file by pieces that are put together in memory.
type scribe struct {
	masked
	bytes.Buffer // the piece in hand
	file         *bufio.Writer
}

func (s *scribe) number(n uint64) { s.Buffer.Write(binary.LittleEndian.AppendUint64(nil, n)) }

// put masks the piece and writes it.
func (s *scribe) put() error {
	s.apply(s.Bytes())
	//correctness: as saveTo, for the disk alone.
	_, err := s.file.Write(s.Bytes())
	s.Reset()
	return err
}

// Save writes the pool to a file. An old one stays until the new one is complete. It
// waits for the disk. Only the worker calls it.
func (p *Pool) Save(path string) error {
	var key [keyBytes]byte
	_, _ = rand.Read(key[:]) // it never fails
	err := p.saveTo(path+".new", key[:])
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		_ = os.Remove(path + ".new") // the first error is the one to report
		return fmt.Errorf("%s cannot be written: %w", path, bare(err))
	}
	return syncDir(filepath.Dir(path))
}

// bare is an error without the path that the message names already.
func bare(err error) error {
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// syncDir makes a file's new name last. Some systems cannot do it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	//correctness: as saveTo, for the disk alone.
	_ = d.Sync()
	return d.Close()
}

func (p *Pool) saveTo(path string, key []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, dumpBuffer)
	err = p.write(w, key)
	if err == nil {
		//correctness: for the disk alone, as below; the disk waits for nobody.
		err = w.Flush()
	}
	if err == nil {
		//correctness: the worker waits for the disk alone, and the disk waits for
		//nobody. No question to chain waits for longer than its timeout.
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// write writes the pool, with a key or plainly.
func (p *Pool) write(to *bufio.Writer, key []byte) error {
	s := &scribe{file: to}
	if len(key) == 0 {
		s.number(plainVersion)
	} else {
		s.number(keyedVersion)
		_ = wire.WriteVarBytes(s, 0, key) // memory takes it
	}
	if err := s.put(); err != nil {
		return err
	}
	s.key = key
	s.number(uint64(len(p.index.byTxID)))
	for _, e := range p.index.order {
		if e.gone.Load() {
			continue
		}
		_ = e.tx.Serialize(s) // memory takes it
		s.number(uint64(e.Added.Unix()))
		s.number(uint64(e.delta))
		if err := s.put(); err != nil {
			return err
		}
	}
	p.writeDeltas(s)
	p.writeUnbroadcast(s)
	return s.put()
}

// writeUnbroadcast names what RPC sent and is news still. Only relay knows for which of these
// a peer has asked, and the worker cannot ask it. So after the next start all of them are
// announced once more, until a peer asks.
func (p *Pool) writeUnbroadcast(s *scribe) {
	oldest := p.cfg.Now().Add(-chain.NewsAge)
	var ours []chainhash.Hash
	for _, e := range p.index.order {
		if !e.gone.Load() && e.ours.Load() && !e.Added.Before(oldest) {
			ours = append(ours, e.ID.TxID)
		}
	}
	_ = wire.WriteVarInt(s, 0, uint64(len(ours))) // memory takes it
	for _, txid := range ours {
		s.Write(txid[:])
	}
}

// writeDeltas writes the deltas of transactions that are not in the pool.
func (p *Pool) writeDeltas(s *scribe) {
	var others []Priority
	for txid, delta := range p.deltas {
		if !p.has(txid) {
			others = append(others, Priority{txid, delta})
		}
	}
	slices.SortFunc(others, func(a, b Priority) int { return slices.Compare(a.TxID[:], b.TxID[:]) })
	_ = wire.WriteVarInt(s, 0, uint64(len(others))) // memory takes it
	for _, d := range others {
		s.Write(d.TxID[:])
		s.number(uint64(d.Delta))
	}
}
