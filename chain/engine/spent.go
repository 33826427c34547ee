package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/txscript/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// The outputs that a block spends are in btcd's spend journal. btcd reads it under its chain
// lock, which a block that is being processed holds. A reader does not wait for that, so it
// reads the journal itself. blockchain/chainio.go and compress.go have the format, which is
// that of the headers of Bitcoin Core's undo data.

// spentBucket is where btcd keeps the journal.
const spentBucket = "spendjournal"

// spent reads what a block of the best chain spends. It is empty if the block spends nothing.
func (e *Engine) spent(tx database.Tx, hash *chainhash.Hash) []chain.SpentOut {
	bucket := tx.Metadata().Bucket([]byte(spentBucket))
	if bucket == nil {
		return nil
	}
	all, err := readJournal(bucket.Get(hash[:]))
	if err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("what block %v spends cannot be read: %v", hash, err))
		return nil
	}
	return all
}

// readJournal reads the journal of one block, in which the last output comes first.
func readJournal(raw []byte) ([]chain.SpentOut, error) {
	all := []chain.SpentOut{}
	for j := (journal{rest: raw}); len(j.rest) > 0; {
		all = append(all, j.output())
		if j.broken {
			return nil, errors.New("its spend journal is damaged")
		}
	}
	slices.Reverse(all)
	return all, nil
}

// journal is what is left to read. It is broken if that made no sense.
type journal struct {
	rest   []byte
	broken bool
}

func (j *journal) output() (out chain.SpentOut) {
	code := j.number()
	out.Height, out.CoinBase = int32(code>>1), code&1 == 1
	if out.Height > 0 {
		j.number() // it has had a meaning once
	}
	out.Value = amountOf(j.number())
	out.Script = j.script()
	return out
}

// number reads an integer of a variable length: seven bits a byte, the highest first, and
// for each further byte one more, so that no number can be written in two ways.
func (j *journal) number() (n uint64) {
	for {
		b := j.take(1)
		if j.broken {
			return 0
		}
		n = n<<7 | uint64(b[0]&0x7f)
		if b[0]&0x80 == 0 {
			return n
		}
		n++
	}
}

// take reads some bytes. They belong to the database.
func (j *journal) take(n uint64) (b []byte) {
	if j.broken = j.broken || n > uint64(len(j.rest)); j.broken {
		return nil
	}
	b, j.rest = j.rest[:n], j.rest[n:]
	return b
}

// The kinds of script that are written short. From other on, it is the length and more.
const (
	keyHash    = 0
	scriptHash = 1
	evenKey    = 2
	oddKey     = 3
	evenLong   = 4 // keys that are written in full in the script
	oddLong    = 5
	other      = 6
)

func (j *journal) script() []byte {
	switch kind := j.number(); kind {
	case keyHash:
		return slices.Concat([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, j.take(20),
			[]byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG})
	case scriptHash:
		return slices.Concat([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, j.take(20), []byte{txscript.OP_EQUAL})
	case evenKey, oddKey:
		return slices.Concat([]byte{txscript.OP_DATA_33, byte(kind)}, j.take(32), []byte{txscript.OP_CHECKSIG})
	case evenLong, oddLong:
		key, err := btcec.ParsePubKey(slices.Concat([]byte{byte(kind - evenLong + evenKey)}, j.take(32)))
		if j.broken = j.broken || err != nil; j.broken {
			return nil
		}
		return slices.Concat([]byte{txscript.OP_DATA_65}, key.SerializeUncompressed(), []byte{txscript.OP_CHECKSIG})
	default:
		return bytes.Clone(j.take(kind - other))
	}
}

// amountOf is an amount that was written short: its zeros at the end are a number from 0 to
// 9, and with less than 9 of them its last digit is known not to be 0.
func amountOf(n uint64) int64 {
	if n == 0 {
		return 0
	}
	n--
	zeros := n % 10
	n /= 10
	if zeros < 9 {
		n = n/9*10 + n%9 + 1
	} else {
		n++
	}
	for range zeros {
		n *= 10
	}
	return int64(n)
}
