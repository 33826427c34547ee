package fake

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Mine returns a block on top of prev with a coinbase, some transactions and no proof of
// work. salt tells blocks apart. Without the transactions the block has about size bytes.
func Mine(prev chainhash.Hash, at time.Time, bits uint32, salt uint64, size int, txs ...*wire.MsgTx) *wire.MsgBlock {
	script := append(salted(salt), make([]byte, max(0, size-208))...)
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 1<<32 - 1}, append(salted(salt), prev[:8]...), nil))
	tx.AddTxOut(wire.NewTxOut(50e8, script))
	b := &wire.MsgBlock{Header: wire.BlockHeader{
		Version: 4, PrevBlock: prev, Timestamp: at.Truncate(time.Second), Bits: bits,
	}}
	b.Transactions = append(b.Transactions, tx)
	b.Transactions = append(b.Transactions, txs...)
	b.Header.MerkleRoot = merkleRoot(b)
	return b
}

// salted are eight bytes that tell things apart.
func salted(salt uint64) []byte { return binary.LittleEndian.AppendUint64(nil, salt) }

// Grow mines n blocks in a row on a header. They are ten seconds apart.
func Grow(on *wire.BlockHeader, n int, bits uint32, salt uint64, size int) []*wire.MsgBlock {
	var list []*wire.MsgBlock
	for range n {
		b := Mine(on.BlockHash(), on.Timestamp.Add(10*time.Second), bits, salt, size)
		list = append(list, b)
		on = &b.Header
	}
	return list
}

// MinerConfig says what a Miner mines.
type MinerConfig struct {
	Every time.Duration // the mean time between two blocks
	Count int           // of blocks
	Bits  uint32
	Size  int // of a block in bytes, about
	// Txs says that the blocks have the pool's transactions. The miner needs its Template
	// port for that.
	Txs bool
}

// Miner submits blocks to its node's chain, as an RPC client does. It must
// subscribe to chain's Tips.
type Miner struct {
	cfg  MinerConfig
	port actor.Port[chain.SubmitBlock, chain.Verdict] // one slot
	rng  *rand.Rand
	// Template is asked for each block if the miner's blocks have transactions.
	Template actor.Port[chain.GetTemplate, chain.Template] // one slot

	tips chain.Tips
	at   time.Time // of the next block; zero: it waits for a verdict, or has finished
	left int
}

// NewMiner returns a miner.
func NewMiner(cfg MinerConfig, port actor.Port[chain.SubmitBlock, chain.Verdict], rng *rand.Rand) *Miner {
	return &Miner{cfg: cfg, port: port, rng: rng, left: cfg.Count}
}

// Step mines when it is time.
func (m *Miner) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		m.plan(now)
	case actor.Stop:
		out.Finish("stopped")
	case chain.Tips:
		m.tips = b
	case chain.Verdict:
		m.plan(now)
	case chain.Template:
		m.made(now, in, b, out)
	case actor.Tick:
		m.mine(now, out)
	case actor.Freed:
	default:
		panic(fmt.Sprintf("fake: the miner is given a %T", in.Body))
	}
}

func (m *Miner) plan(now time.Time) {
	m.at = time.Time{}
	if m.left > 0 {
		m.at = now.Add(draw(m.rng, 2*m.cfg.Every))
	}
}

func (m *Miner) mine(now time.Time, out *actor.Outbox) {
	m.plan(now)
	if m.tips.Block.Hash == (chainhash.Hash{}) {
		return
	}
	if m.cfg.Txs {
		if _, ok := m.Template.Ask(out, 0, chain.GetTemplate{Time: now, Txs: true}); ok {
			m.at = time.Time{}
		}
		return
	}
	m.submit(now, m.tips.Block.Hash, m.tips.MedianTime.Add(time.Second), nil, out)
}

// made makes a block of a template. A miner that gets none asks again some time.
func (m *Miner) made(now time.Time, in actor.Input, t chain.Template, out *actor.Outbox) {
	m.plan(now)
	if in.Err != nil {
		return
	}
	var txs []*wire.MsgTx
	for _, tx := range t.Txs {
		txs = append(txs, tx.Tx)
	}
	m.submit(now, t.Prev.Hash, t.MinTime, txs, out)
}

func (m *Miner) submit(now time.Time, prev chainhash.Hash, at time.Time, txs []*wire.MsgTx, out *actor.Outbox) {
	if at.Before(now) {
		at = now
	}
	b := Mine(prev, at, m.cfg.Bits, m.rng.Uint64(), m.cfg.Size, txs...)
	if _, ok := m.port.Ask(out, 0, chain.SubmitBlock{Payload: payload(b, true), Hash: b.BlockHash()}); ok {
		m.left--
		m.at = time.Time{}
	}
}

// Idle says whether all blocks are mined and have their verdicts.
func (m *Miner) Idle() bool { return m.left == 0 && m.at.IsZero() }

// More makes m mine another block at once. The caller must wake its cell.
func (m *Miner) More(now time.Time) {
	m.left++
	m.at = now
}

// Deadline is when the next block is found.
func (m *Miner) Deadline() time.Time { return m.at }

// Check has nothing to verify.
func (m *Miner) Check() error { return nil }
