package storm

import (
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// fate is what becomes of a transaction that a storm sends.
type fate int

const (
	// mined: the feed puts it into a block some seconds later. Every listener must
	// hear of it, or of that block.
	mined fate = iota
	// kept: no block has it. Every listener must hear of it and get it.
	kept
	// allowed: the node may take it, replace it or drop it.
	allowed
)

const (
	listeners  = 3
	mineAfter  = 6 * time.Second // time for relay before the block
	mostMined  = 2_500           // transactions of a block; half of what fits
	keptFactor = 10              // how much more than others those pay that are kept
)

// entry is a transaction that was sent.
type entry struct {
	tx          *wire.MsgTx
	txid, wtxid chainhash.Hash
	fate        fate
	sent        time.Time
	height      int32              // of its block; zero: none
	heard       [listeners]bool    // announced
	got         [listeners]bool    // delivered
	delay       [listeners]float64 // from sending to the announcement, in seconds
}

// Ledger knows every valid transaction that a storm has sent, and what each
// honest listener has heard of it. It holds the open ones in full, and of the
// settled ones only enough of their names to know them again. A nil Ledger
// belongs to a storm without transactions.
type Ledger struct {
	mu      sync.Mutex
	open    []*entry                  // in the order in which they were sent
	names   map[chainhash.Hash]*entry // of the open ones, by txid and wtxid
	settled map[uint64]bool           // the first bytes of the names of the others
	blocks  map[chainhash.Hash]offer  // the feed's, by hash
	tip     [listeners]int32          // the highest of them that each listener has heard of
	ready   [listeners]bool           // has been connected
	strange map[chainhash.Hash]bool   // announced, and never sent as valid
	delays  []float64                 // of the kept ones that are settled
	arrival []float64                 // of blocks: from the offer to each listener, in seconds
	sum     Relayed
}

// offer is when the feed offered a block.
type offer struct {
	height int32
	at     time.Time
}

// Relayed is what the honest listeners have seen. The counts of announced and
// confirmed are sums over the listeners.
type Relayed struct {
	Listeners int   `json:"listeners"`
	Sent      int64 `json:"sent"`      // valid transactions that must reach every listener
	Kept      int64 `json:"kept"`      // of these: in no block, so only relay brings them
	Announced int64 `json:"announced"` // to a listener
	Confirmed int64 `json:"confirmed"` // in a block that the listener heard of before an announcement
	Missing   int64 `json:"missing"`   // neither
	Unserved  int64 `json:"unserved"`  // of those kept: announced, and not delivered
	Wrong     int64 `json:"wrong"`     // delivered with another witness, or none
	Strange   int64 `json:"strange"`   // announced, and never sent as valid
	Lost      int64 `json:"lost"`      // connections of listeners that the node ended
	// From sending to the announcement of those kept, in seconds.
	Relay Spread `json:"relay"`
	// From offering a block to the node to its announcement to a listener.
	Blocks Spread `json:"blocks"`
	// Examples are some of those missing.
	Examples []Example `json:"examples,omitempty"`
}

// Example is a transaction that not every listener has heard of.
type Example struct {
	TxID  string          `json:"txid"`
	Kept  bool            `json:"kept"`
	Age   float64         `json:"age"` // seconds since it was sent
	Heard [listeners]bool `json:"heard"`
}

const mostExamples = 20

// Spread sums up times, in seconds.
type Spread struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Most   float64 `json:"most"`
}

func spread(times []float64) (s Spread) {
	if n := len(times); n > 0 {
		all := slices.Sorted(slices.Values(times))
		s = Spread{all[n/2], all[n*99/100], all[n-1]}
	}
	return s
}

// Good is true if every valid transaction has reached every listener as it was
// sent, and no other has.
func (r *Relayed) Good() bool {
	return r.Missing == 0 && r.Unserved == 0 && r.Wrong == 0 && r.Strange == 0
}

func newLedger() *Ledger {
	return &Ledger{
		names: map[chainhash.Hash]*entry{}, settled: map[uint64]bool{},
		blocks: map[chainhash.Hash]offer{}, strange: map[chainhash.Hash]bool{},
	}
}

// enter notes a transaction that is about to be sent.
func (l *Ledger) enter(tx *wire.MsgTx, f fate) *entry {
	e := &entry{tx: tx, txid: tx.TxHash(), wtxid: tx.WitnessHash(), fate: f, sent: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, e)
	l.names[e.txid], l.names[e.wtxid] = e, e
	if f != allowed {
		l.sum.Sent++
	}
	if f == kept {
		l.sum.Kept++
	}
	return e
}

// find returns the open transaction of that name, or nil.
func (l *Ledger) find(name chainhash.Hash) *wire.MsgTx {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.names[name]; e != nil {
		return e.tx
	}
	return nil
}

// due returns the transactions for the next block, parents first.
func (l *Ledger) due(now time.Time) (txs []*wire.MsgTx, es []*entry) {
	if l == nil {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.open {
		if len(es) == mostMined || now.Sub(e.sent) < mineAfter {
			break
		}
		if e.fate == mined && e.height == 0 {
			txs, es = append(txs, e.tx), append(es, e)
		}
	}
	return txs, es
}

// confirm notes a block of the feed with its transactions. It must be called
// before the block is offered.
func (l *Ledger) confirm(block chainhash.Hash, height int32, es []*entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocks[block] = offer{height, time.Now()}
	for _, e := range es {
		e.height = height
	}
	l.settle()
}

// settle counts what every listener knows, and forgets it.
func (l *Ledger) settle() {
	l.open = slices.DeleteFunc(l.open, func(e *entry) bool {
		if !l.done(e) {
			return false
		}
		l.count(e)
		delete(l.names, e.txid)
		delete(l.names, e.wtxid)
		l.settled[prefix(e.txid)], l.settled[prefix(e.wtxid)] = true, true
		e.tx = nil
		return true
	})
}

// done is true if nothing more can be expected of a transaction, and no block
// is to have it.
func (l *Ledger) done(e *entry) bool {
	if e.fate == mined && e.height == 0 {
		return false
	}
	for i := range listeners {
		if !l.passed(e, i) && !(e.heard[i] && e.got[i]) {
			return false
		}
	}
	return true
}

// passed is true if a listener has heard of a block with the transaction.
func (l *Ledger) passed(e *entry, i int) bool { return e.height > 0 && e.height <= l.tip[i] }

// count adds a transaction to the sums.
func (l *Ledger) count(e *entry) {
	if e.fate == allowed {
		return
	}
	for i := range listeners {
		switch {
		case e.heard[i]:
			l.sum.Announced++
		case l.passed(e, i):
			l.sum.Confirmed++
		default:
			l.sum.Missing++
		}
		if e.fate == kept && e.heard[i] {
			l.delays = append(l.delays, e.delay[i])
			if !e.got[i] {
				l.sum.Unserved++
			}
		}
	}
}

// waiting returns those that somebody still has to hear of. A payer sends them
// again after it has lost its connection.
func (l *Ledger) waiting(es []*entry) []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(es, func(e *entry) bool {
		if e.fate == mined {
			return e.height > 0 && e.height <= slices.Max(l.tip[:])
		}
		return e.tx == nil || e.heard == [listeners]bool{true, true, true}
	})
}

// Relayed returns the sums as they are now. What is open counts as missing. It
// returns nil for a storm without transactions.
func (l *Ledger) Relayed() *Relayed {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	was, delays := l.sum, len(l.delays)
	var examples []Example
	for _, e := range l.open {
		missing := l.sum.Missing
		l.count(e)
		if l.sum.Missing > missing && len(examples) < mostExamples {
			examples = append(examples, Example{e.txid.String(), e.fate == kept, time.Since(e.sent).Seconds(), e.heard})
		}
	}
	sum := l.sum
	sum.Examples = examples
	sum.Listeners, sum.Strange = listeners, int64(len(l.strange))
	sum.Relay, sum.Blocks = spread(l.delays), spread(l.arrival)
	l.sum, l.delays = was, l.delays[:delays]
	return &sum
}

func prefix(h chainhash.Hash) (p uint64) {
	for _, b := range h[:8] {
		p = p<<8 | uint64(b)
	}
	return p
}
