package explore

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
	"acyclic/peer"
)

var regtest = &chaincfg.RegressionNetParams

// The blocks of all worlds, by their numbers. A block's number is higher than its
// parent's. Behind these comes a long chain of headers.
const (
	genesis = iota
	a1
	a2
	a3
	b2 // a branch that begins on a1. With b3 it has more work than a2
	b3
	c2 // on a1: its header is good, and it breaks a rule
	d1 // its time is far in the future
	shortWorld
	// longTip ends a chain on genesis whose headers take two messages.
	longTip = shortWorld + wire.MaxBlockHeadersPerMsg
)

// twig is one block of the tree.
type twig struct {
	chain.Point
	parent int
	block  *peer.MsgBlock
}

// tree has all blocks. It never changes.
var tree = func() (all []twig) {
	grow := func(parent int, at time.Duration) {
		h := &wire.BlockHeader{Version: 4, Bits: regtest.PowLimitBits, Timestamp: Epoch.Add(at), Nonce: uint32(len(all))}
		if parent < 0 {
			h = &regtest.GenesisBlock.Header
			parent = genesis
		} else {
			h.PrevBlock = all[parent].Hash
		}
		n := twig{parent: parent, block: message(wire.NewMsgBlock(h))}
		n.Hash, n.Time, n.Work = h.BlockHash(), h.Timestamp, chain.WorkFrom64(1)
		if len(all) > 0 {
			n.Height, n.Work = all[parent].Height+1, all[parent].Work.Add(chain.WorkFrom64(1))
		}
		all = append(all, n)
	}
	for _, parent := range []int{-1, genesis, a1, a2, a1, b2, a1} {
		grow(parent, time.Duration(len(all))*time.Second)
	}
	grow(genesis, 3*time.Hour)
	for parent := genesis; len(all) <= longTip; parent = len(all) - 1 {
		grow(parent, -time.Duration(longTip-len(all))*time.Second)
	}
	return all
}()

// numbers are those of the blocks by their hashes.
var numbers = func() map[chainhash.Hash]int {
	m := map[chainhash.Hash]int{}
	for i := range tree {
		m[tree[i].Hash] = i
	}
	return m
}()

// changed is a copy of a block with a body that does not belong to it.
var changed = func() map[int]*peer.MsgBlock {
	m := map[int]*peer.MsgBlock{}
	for i := range shortWorld {
		b := wire.NewMsgBlock(&tree[i].block.Header)
		_ = b.AddTransaction(wire.NewMsgTx(1)) // one always fits
		m[i] = message(b)
	}
	return m
}()

// message is a block as the transport hands it to a peer.
func message(b *wire.MsgBlock) *peer.MsgBlock {
	return &peer.MsgBlock{MsgBlock: wire.MsgBlock{Header: b.Header}, Payload: fixture.Payload(b)}
}

// branch lists the blocks behind from up to its descendant to.
func branch(from, to int) (list []int) {
	for ; to != from; to = tree[to].parent {
		list = append(list, to)
	}
	slices.Reverse(list)
	return list
}

// on says whether block i is b or one of its ancestors.
func on(i, b int) bool { return split(i, b) == i }

// split is the last block that two branches have in common.
func split(a, b int) int {
	for a != b {
		if a > b {
			a = tree[a].parent
		} else {
			b = tree[b].parent
		}
	}
	return a
}

func heavier(a, b int) bool { return tree[a].Work.Cmp(tree[b].Work) > 0 }

// after lists the blocks up to tip behind the first of a locator that is on the way
// there. Without a locator that is stop alone.
func after(tip int, locator []*chainhash.Hash, stop chainhash.Hash) []int {
	if i, known := numbers[stop]; known && len(locator) == 0 && on(i, tip) {
		return []int{i}
	}
	for _, h := range locator {
		if i, known := numbers[*h]; known && on(i, tip) {
			return branch(i, tip)
		}
	}
	return branch(genesis, tip)
}

func headersOf(list []int) (all []*wire.BlockHeader) {
	for _, i := range list {
		all = append(all, &tree[i].block.Header)
	}
	return all
}

// engine is what a node has of the tree.
type engine struct {
	Headers, Blocks, Bad []int // in order of their numbers, genesis first
	Header, Tip          int   // the best
	Events               []chain.Event
	Pool                 []int // transactions, by their numbers
	Broken               bool  // the database has failed
}

// txs are two transactions. Block a2 confirms the first.
var txs = func() (all [2]*wire.MsgTx) {
	for i := range all {
		all[i] = wire.NewMsgTx(2)
		all[i].AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{byte(i + 1)}}, nil, wire.TxWitness{{1}}))
		all[i].AddTxOut(wire.NewTxOut(1000, nil))
	}
	return all
}()

// txNames are their names.
var txNames = func() (all [2]chain.TxID) {
	for i, tx := range txs {
		all[i] = chain.TxID{TxID: tx.TxHash(), WTxID: tx.WitnessHash()}
	}
	return all
}()

// pooled is a transaction as the pool names it.
func pooled(i int) chain.PoolTx {
	return chain.PoolTx{ID: txNames[i], Fee: 1000, VSize: 100, Added: Epoch}
}

// applyTx takes a transaction into the pool.
func (e *engine) applyTx(q chain.ApplyTx) chain.TxApplied {
	v := chain.TxVerdict{ID: q.ID}
	switch i := slices.Index(txNames[:], q.ID); {
	case e.Broken:
		v.Code = chain.TxFatal
	case slices.Contains(e.Pool, i), i == 0 && on(a2, e.Tip):
		v.Code = chain.TxKnown
	default:
		e.enter(i)
	}
	return chain.TxApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

func (e *engine) enter(i int) {
	e.Pool = insert(e.Pool, i)
	e.Events = append(e.Events, chain.TxAccepted{Txs: []chain.PoolTx{pooled(i)}})
}

// confirm says what a block does to the pool.
func (e *engine) confirm(block int) {
	if block != a2 {
		return
	}
	first := txNames[:1]
	e.Events = append(e.Events, chain.TxConfirmed{Txs: first})
	if i := slices.Index(e.Pool, 0); i >= 0 {
		e.Pool = slices.Delete(e.Pool, i, i+1)
		e.Events = append(e.Events, chain.TxRemoved{Reason: chain.RemovedConfirmed, Txs: first})
	}
}

// readPool plays the readers.
func (e *engine) readPool(q any) any {
	switch b := q.(type) {
	case chain.GetPool:
		var a chain.Pool
		for _, i := range e.Pool {
			a.Txs = append(a.Txs, pooled(i))
		}
		return a
	case chain.GetPoolTxs:
		a := chain.PooledTxs{Txs: make([]*wire.MsgTx, len(b.TxIDs))}
		for k, txid := range b.TxIDs {
			for _, i := range e.Pool {
				if txNames[i].TxID == txid {
					a.Txs[k] = txs[i]
				}
			}
		}
		return a
	}
	return chain.PoolInfo{Loaded: true, Txs: len(e.Pool), MinFee: 1000, MinRelayFee: 1000}
}

// newEngine has the blocks up to one.
func newEngine(tip int) engine {
	all := append([]int{genesis}, branch(genesis, tip)...)
	return engine{Headers: all, Blocks: slices.Clone(all), Header: tip, Tip: tip}
}

func insert(list []int, i int) []int {
	at, _ := slices.BinarySearch(list, i)
	return slices.Insert(list, at, i)
}

func (e *engine) tips() chain.Tips {
	return chain.Tips{Block: tree[e.Tip].Point, Header: tree[e.Header].Point, MedianTime: Epoch}
}

func (e *engine) changes(seen uint64) chain.Changes {
	c := chain.Changes{Tips: e.tips(), Events: slices.Clone(e.Events[seen:]), Last: uint64(len(e.Events))}
	if e.Broken {
		c.Fatal = "the database has failed"
	}
	return c
}

// takeHeader says what becomes of a header.
func (e *engine) takeHeader(now time.Time, i int, fresh *int) chain.Code {
	switch {
	case e.Broken:
		return chain.Fatal
	case slices.Contains(e.Bad, i):
		return chain.Invalid
	case slices.Contains(e.Headers, i):
		return chain.OK
	case slices.Contains(e.Bad, tree[i].parent):
		return chain.BadAncestor
	case !slices.Contains(e.Headers, tree[i].parent):
		return chain.Orphan
	case tree[i].Time.Sub(now) > 2*time.Hour:
		return chain.TooNew
	}
	e.Headers = insert(e.Headers, i)
	*fresh++
	if heavier(i, e.Header) {
		e.Header = i
	}
	return chain.OK
}

func (e *engine) applyHeaders(now time.Time, q chain.ApplyHeaders) chain.HeadersApplied {
	var v chain.HeadersVerdict
	for _, h := range q.Headers {
		i := numbers[h.BlockHash()]
		if v.Code = e.takeHeader(now, i, &v.New); v.Code != chain.OK {
			v.Reason = v.Code.String()
			break
		}
		v.Accepted++
		v.Last, v.Fork = tree[i].Point, tree[split(i, e.Header)].Point
	}
	v.Best = tree[e.Header].Point
	return chain.HeadersApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

// takeBlock says what becomes of a block.
func (e *engine) takeBlock(now time.Time, i int, payload []byte) chain.Code {
	switch parent := tree[i].parent; {
	case e.Broken:
		return chain.Fatal
	case slices.Contains(e.Blocks, i):
		return chain.Duplicate
	case slices.Contains(e.Bad, parent):
		return chain.BadAncestor
	case !slices.Contains(e.Blocks, parent):
		return chain.Orphan
	}
	if code := e.takeHeader(now, i, new(int)); code != chain.OK {
		return code
	}
	switch {
	case !bytes.Equal(payload, tree[i].block.Payload):
		return chain.Mutated
	case i == c2:
		e.condemn(i)
		return chain.Invalid
	}
	e.Blocks = insert(e.Blocks, i)
	return chain.OK
}

// condemn finds another best header if the best one turns out bad.
func (e *engine) condemn(i int) {
	e.Bad = insert(e.Bad, i)
	e.Header = e.Tip
	for _, h := range e.Headers {
		if heavier(h, e.Header) && !on(i, h) {
			e.Header = h
		}
	}
}

func (e *engine) applyBlock(now time.Time, q chain.ApplyBlock) chain.BlockApplied {
	i := numbers[q.Hash]
	v := chain.Verdict{Hash: q.Hash, Code: e.takeBlock(now, i, q.Payload)}
	if v.Code != chain.OK {
		v.Reason = v.Code.String()
	} else if heavier(i, e.Tip) {
		e.reorganise(i, q)
	}
	v.InBestChain, v.Tip = on(i, e.Tip), tree[e.Tip].Point
	return chain.BlockApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

// reorganise makes a block the best one. All on the way there are stored.
func (e *engine) reorganise(tip int, q chain.ApplyBlock) {
	base, back := split(tip, e.Tip), false
	for ; e.Tip != base; e.Tip = tree[e.Tip].parent {
		e.Events = append(e.Events, chain.BlockDisconnected{Point: tree[e.Tip].Point})
		back = back || e.Tip == a2
	}
	for _, i := range branch(base, tip) {
		e.Events = append(e.Events, chain.BlockConnected{Point: tree[i].Point, Header: tree[i].block.Header, Source: q.Source, Txs: 1, Size: 285})
		e.confirm(i)
	}
	if back {
		e.enter(0) // no other branch has it
	}
	e.Tip = tip
}

// answer plays the engine's worker and its readers.
func (e *engine) answer(now time.Time, q any) any {
	switch b := q.(type) {
	case chain.CatchUp:
		return chain.CaughtUp{Changes: e.changes(b.Seen)}
	case chain.ApplyHeaders:
		return e.applyHeaders(now, b)
	case chain.ApplyBlock:
		return e.applyBlock(now, b)
	case chain.MakeTemplate:
		return chain.Made{Template: chain.Template{Prev: tree[e.Tip].Point}, Changes: e.changes(b.Seen)}
	case chain.ApplyTx:
		return e.applyTx(b)
	case chain.ApplyPriority:
		return chain.PriorityApplied{Changes: e.changes(b.Seen)}
	case chain.FindTxOut:
		return chain.TxOutFound{Changes: e.changes(b.Seen)}
	case chain.WritePool:
		return chain.PoolWritten{Changes: e.changes(b.Seen)}
	case chain.GetPool, chain.GetPoolInfo, chain.GetPoolTxs:
		return e.readPool(q)
	case chain.GetLocator:
		return e.locator(b)
	case chain.GetPath:
		return e.path(b)
	case chain.GetForks:
		return e.forks(b)
	case chain.GetHeaders:
		return chain.Headers{Headers: headersOf(after(e.Tip, b.Locator, b.Stop))}
	case chain.GetHashes:
		var a chain.Hashes
		for _, i := range after(e.Tip, b.Locator, b.Stop) {
			a.Hashes = append(a.Hashes, tree[i].Hash)
		}
		return a
	case chain.GetBlock:
		a := chain.Block{Hash: b.Hash}
		if i, known := numbers[b.Hash]; known && on(i, e.Tip) {
			a.Height, a.Payload = tree[i].Height, tree[i].block.Payload
		}
		return a
	}
	panic(fmt.Sprintf("the engine is asked %T", q))
}

// knows returns the number of a hash whose header is known.
func (e *engine) knows(h chainhash.Hash) (int, bool) {
	i, ok := numbers[h]
	return i, ok && slices.Contains(e.Headers, i)
}

func (e *engine) locator(q chain.GetLocator) (a chain.Locator) {
	i := e.Header
	if q.From != (chainhash.Hash{}) {
		var ok bool
		if i, ok = e.knows(q.From); !ok {
			return a
		}
	}
	if q.Parent {
		i = tree[i].parent
	}
	a.Tip = tree[i].Point
	a.Hashes = []*chainhash.Hash{&tree[i].Hash}
	if i != genesis {
		a.Hashes = append(a.Hashes, &tree[genesis].Hash)
	}
	return a
}

func (e *engine) path(q chain.GetPath) chain.Path {
	to, ok := e.knows(q.To)
	if !ok || slices.ContainsFunc(e.Bad, func(bad int) bool { return on(bad, to) }) {
		return chain.Path{}
	}
	p := chain.Path{Known: true, To: tree[to].Point}
	from := split(to, e.Tip)
	if i, ok := e.knows(q.After); ok && on(i, to) {
		from = i
	}
	for _, i := range branch(from, to) {
		if len(p.Missing) < q.Max && !slices.Contains(e.Blocks, i) {
			p.Missing = append(p.Missing, tree[i].Point)
		}
	}
	return p
}

func (e *engine) forks(q chain.GetForks) chain.Forks {
	f := chain.Forks{Points: make([]chain.Point, len(q.Hashes)), Shared: make([]chain.Point, len(q.Hashes))}
	to, known := e.knows(q.To)
	for k, h := range q.Hashes {
		if i, ok := e.knows(h); ok && known {
			f.Points[k], f.Shared[k] = tree[i].Point, tree[split(i, to)].Point
		}
	}
	return f
}
