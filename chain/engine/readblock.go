package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// readBlock decodes the payload of a block message. If it cannot be read behind its header,
// it has no transactions. That says nothing about the header: whoever sent it may have
// changed the rest.
func readBlock(payload []byte) (*btcutil.Block, *refusal) {
	var msg wire.MsgBlock
	err := readTransactions(&msg, payload)
	switch {
	case err != nil:
		msg.ClearTransactions()
		return btcutil.NewBlock(&msg), refuse(blockchain.ErrBadMerkleRoot, fmt.Sprintf("its transactions cannot be read: %v", err))
	case msg.SerializeSize() != len(payload):
		// Bytes behind the block, or marks of witness data that is not there: what is
		// stored and served is the block without them.
		return btcutil.NewBlock(&msg), nil
	}
	return btcutil.NewBlockFromBlockAndBytes(&msg, payload), nil
}

// readTransactions reads a block. It takes what btcd's decoder takes, and transactions
// without inputs and outputs, which Bitcoin Core reads and judges.
func readTransactions(msg *wire.MsgBlock, payload []byte) error {
	r := bytes.NewReader(payload)
	if err := msg.Header.Deserialize(r); err != nil {
		return err
	}
	n, err := wire.ReadVarInt(r, 0)
	if err != nil {
		return err
	}
	if n > uint64(r.Len()/leastTx) {
		return io.ErrUnexpectedEOF
	}
	for range n {
		tx := new(wire.MsgTx)
		if rest := payload[len(payload)-r.Len():]; isEmpty(rest) {
			tx.Version = int32(binary.LittleEndian.Uint32(rest))
			tx.LockTime = binary.LittleEndian.Uint32(rest[6:])
			_, err = r.Seek(leastTx, io.SeekCurrent)
		} else {
			err = tx.Deserialize(r)
		}
		if err != nil {
			return err
		}
		msg.Transactions = append(msg.Transactions, tx)
	}
	return nil
}

// leastTx is the size in bytes of a transaction without inputs and outputs: its version,
// two counts, and its lock time.
const leastTx = 10

// isEmpty says whether such a transaction comes next. btcd's decoder takes the two zeros
// for the mark of witness data (BIP144), and fails.
func isEmpty(b []byte) bool { return len(b) >= leastTx && b[4] == 0 && b[5] == 0 }
