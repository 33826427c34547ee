package relay

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
	"acyclic/relay/track"
)

// fillPeers is how many peers the test of the bounds has.
const fillPeers = 4

// tight are bounds under which fillPeers can fill what is held for all peers together.
func tight() Bounds {
	b := DefaultBounds()
	b.MaxWantedOfAll = fillPeers * b.MaxWanted
	b.MaxPool, b.MaxHand = b.MaxQueued, fillPeers*b.MaxHandOfPeer*4 // a quarter is for what nobody asked for
	b.Txs.Rejected.Entries, b.Txs.Confirmed.Entries = 10, 10
	return b
}

// most is what relay may hold under bounds. Of the room for transactions a quarter can be
// filled by what nobody asked for, and no transactions come while the pool is asked for.
func most(b Bounds) int {
	return fillPeers*b.PerPeer() + b.Together() - b.MaxHand*3/4
}

// fill makes relay hold all that it may hold of some peers, by its own inputs, and
// returns how much that is.
func fill(t *testing.T, b Bounds) int {
	m, specs := connect(b, fillPeers)
	whole := func(*Machine, actor.Input) bool { return false }
	r := steptest.New(t, broken{m, whole}, specs) // its Check would look at all of it each time
	return steptest.Heap(func() any {
		r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
		for i := range actor.ID(fillPeers) {
			fillPeer(r, m, b, i)
		}
		var news chain.TxAccepted
		for n := range b.MaxQueued {
			news.Txs = append(news.Txs, aPooled(r, 1_000_000+n))
		}
		r.Give(news)
		for range b.MaxAnnounce {
			for _, e := range grow(r, genesis, 1, 1) {
				r.Give(e)
			}
		}
		r.Drop()
		return m
	})
}

// aPooled is the n-th transaction, which has witness data.
func aPooled(r *steptest.Rig, n int) chain.PoolTx {
	return chain.PoolTx{ID: chain.TxID{TxID: number(n), WTxID: number(n + 1<<24)}, Fee: 1000, VSize: 250, Added: r.Now, Ours: true}
}

func fillPeer(r *steptest.Rig, m *Machine, b Bounds, i actor.ID) {
	id := alice + i
	r.Give(peer.Ready{Peer: id, WTxIDs: true, Inbound: true})
	known := make([]chainhash.Hash, b.MaxKnown)
	for n := range known {
		known[n] = chainhash.Hash{byte(i), 1, byte(n), byte(n >> 8), byte(n >> 16)}
	}
	r.Give(peer.Announced{Peer: id, Blocks: known})
	// All but two of the items are not found. Of the two blocks one is being sent,
	// whose bytes the peer's cell counts, and the other waits.
	wanted := make([]wire.InvVect, b.MaxWanted)
	for n := range wanted {
		wanted[n] = wire.InvVect{Type: wire.InvTypeTx}
	}
	wanted[b.MaxWanted-2].Type, wanted[b.MaxWanted-1].Type = wire.InvTypeBlock, wire.InvTypeBlock
	r.Give(peer.DataWanted{Peer: id, Items: wanted})
	_, read := steptest.WantAsk[chain.GetBlock](r, "a block is read")
	r.Reply(read, chain.Block{Payload: make([]byte, 100)})
	for range b.MaxLocators {
		r.Give(peer.HeadersWanted{Peer: id, Locator: locator()})
		r.Give(peer.BlocksWanted{Peer: id, Locator: locator()})
	}
	// What it announces nobody else does.
	names := make([]peer.TxName, b.Txs.MaxAnnounced)
	for n := range names {
		names[n] = peer.TxName{Hash: number(int(i)*b.Txs.MaxAnnounced + n + 1<<26), WTxID: true}
	}
	r.Give(peer.TxsAnnounced{Peer: id, Txs: names})
	for n := range 4 {
		tx := &wire.MsgTx{TxIn: []*wire.TxIn{{SignatureScript: make([]byte, b.MaxHandOfPeer/4-200)}}}
		h := number(1<<27 + int(i)*4 + n)
		r.Give(peer.TxReceived{Peer: id, Tx: tx, TxID: h, WTxID: h, Memory: b.MaxHandOfPeer / 4})
	}
}

func locator() []*chainhash.Hash {
	all := make([]*chainhash.Hash, 0, peer.MaxLocator) // as it is decoded
	for n := range peer.MaxLocator {
		all = append(all, &chainhash.Hash{byte(n)})
	}
	return all
}

// The control is a relay with larger bounds: it must hold more than the sum for
// the smaller ones allows, or the peers have not filled it.
func TestL4TheBoundsAreWhatItHolds(t *testing.T) {
	b := tight()
	if got := fill(t, b); got > most(b) {
		t.Errorf("%d bytes are held, more than the bounds' %d", got, most(b))
	}
	for name, larger := range map[string]func(*Bounds){
		"MaxWanted":    func(l *Bounds) { l.MaxWanted *= 4; l.MaxWantedOfAll *= 4 },
		"MaxKnown":     func(l *Bounds) { l.MaxKnown *= 800 },
		"MaxLocators":  func(l *Bounds) { l.MaxLocators *= 400 },
		"MaxAnnounced": func(l *Bounds) { l.Txs.MaxAnnounced *= 4 },
		"MaxHand":      func(l *Bounds) { l.MaxHandOfPeer *= 4; l.MaxHand *= 4 },
	} {
		l := b
		larger(&l)
		if got := fill(t, l); got > most(l) || got <= most(b) {
			t.Errorf("with more %s: %d bytes are held, want more than %d and at most %d", name, got, most(b), most(l))
		}
	}
}

// What one more of each costs is counted. Where a list is meant, append may have doubled it.
func TestL4EachBoundIsCounted(t *testing.T) {
	size := func(x any) int { return int(reflect.TypeOf(x).Size()) }
	perPeer, together := Bounds.PerPeer, Bounds.Together
	b0 := DefaultBounds()
	for name, c := range map[string]struct {
		more  func(*Bounds)
		sum   func(Bounds) int
		least int
	}{
		"a block to announce":    {func(b *Bounds) { b.MaxAnnounce++ }, perPeer, 2*size(newBlock{}) + size(wire.BlockHeader{})},
		"a block that it knows":  {func(b *Bounds) { b.MaxKnown++ }, perPeer, 2 * (2*chainhash.HashSize + 1)},
		"of each kind a locator": {func(b *Bounds) { b.MaxLocators++ }, perPeer, 2 * peer.MaxLocator * (chainhash.HashSize + 8)},
		"a transaction to tell":  {func(b *Bounds) { b.MaxQueued++ }, perPeer, size(queuedTx{})},
		"what it has announced":  {func(b *Bounds) { b.Txs.MaxAnnounced++ }, perPeer, 2 * chainhash.HashSize},
		"an item of getdata":     {func(b *Bounds) { b.MaxWantedOfAll++ }, together, size(want{}) + 4},
		"a name of the pool":     {func(b *Bounds) { b.MaxPool++ }, together, size(pooled{}) + 2*(chainhash.HashSize+8) + 2*8},
		"a change of the pool":   {func(b *Bounds) { b.MaxPoolChanges++ }, together, chainhash.HashSize + 1},
		"a byte in hand":         {func(b *Bounds) { b.MaxHand++ }, together, 1},
		"an orphan":              {func(b *Bounds) { b.Txs.MaxOrphans++ }, together, b0.Txs.MaxMissing * chainhash.HashSize},
	} {
		b := b0
		c.more(&b)
		if got := c.sum(b) - c.sum(b0); got < c.least {
			t.Errorf("%s: %d bytes are counted, and it takes %d", name, got, c.least)
		}
	}
}

// Each filter remembers as much as its own bound says.
func TestL4EachFilterHasItsSize(t *testing.T) {
	b := DefaultBounds()
	b.Txs.Rejected.Entries, b.Txs.Confirmed.Entries, b.Txs.Known.Entries = 20, 80, 320
	m, specs := connect(b, 1)
	steptest.New(t, m, specs).Give(peer.Ready{Peer: alice})
	for name, c := range map[string]struct {
		filter  *track.Filter
		entries int
	}{
		"rejected":  {m.rejected, 20},
		"confirmed": {m.confirmed, 80},
		"known":     {m.peer(alice).tells.known, 320},
	} {
		for n := range 2 * c.entries {
			if n == c.entries && !c.filter.Contains(number(0)) {
				t.Errorf("%s: of %d entries the first is forgotten", name, n)
			}
			c.filter.Add(number(n))
		}
		if c.filter.Contains(number(0)) {
			t.Errorf("%s: of %d entries the first is remembered", name, 2*c.entries)
		}
	}
}

// The transactions that take the most memory for their size are of many small things. The
// bound is for the worst that a pool takes: a script of Taproot may drop the most items
// that there may be on a stack.
func TestL4WhatIsServedIsCounted(t *testing.T) {
	script := make([]byte, 500) // drops two items with each byte
	tapscript := append(make(wire.TxWitness, 1000), script, make([]byte, 33))
	worst := 0.0
	for _, c := range []struct {
		why     string
		inputs  int
		witness wire.TxWitness
	}{
		{"a small one", 1, nil},
		{"many inputs", 100, nil},
		{"signatures", 100, wire.TxWitness{make([]byte, 72), make([]byte, 33)}},
		{"the most items, once", 1, tapscript},
		{"the most items", 50, tapscript},
	} {
		tx := wire.NewMsgTx(2)
		for range c.inputs {
			tx.AddTxIn(&wire.TxIn{Witness: c.witness})
		}
		tx.AddTxOut(&wire.TxOut{PkScript: make([]byte, 22)})
		var b bytes.Buffer
		if err := tx.Serialize(&b); err != nil {
			t.Fatal(err)
		}
		size := (witnessScale-1)*tx.SerializeSizeStripped() + tx.SerializeSize()
		n := 1 + 1<<20/size
		decode := func() any {
			txs := make([]wire.MsgTx, n)
			for i := range txs {
				if err := txs[i].Deserialize(bytes.NewReader(b.Bytes())); err != nil {
					t.Fatal(err)
				}
			}
			return txs
		}
		decode() // what the decoder keeps for the next time does not count
		held := float64(steptest.Heap(decode)) / float64(n*size)
		t.Logf("%s: %.1f bytes for each", c.why, held)
		worst = max(worst, held)
	}
	more := DefaultBounds()
	more.MaxServeBytes++
	if counted := float64(more.PerPeer() - DefaultBounds().PerPeer()); worst > counted || worst < counted*9/10 {
		t.Errorf("a byte is %.1f in memory, counted are %.0f", worst, counted)
	}
}
