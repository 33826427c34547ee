package netsync

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// node is a block of a made-up tree. Its work stands in the header's Bits.
type node struct {
	chain.Point
	parent *node
	header *wire.BlockHeader
	flaw   chain.Code // of the block: what chain will say to it
	hflaw  chain.Code // of the header
}

// tree is all that exists, whether anybody has found it or not.
type tree struct {
	genesis *node
	nodes   map[chainhash.Hash]*node
	nonce   uint32
}

// chainStart is when the genesis block of a tree was made: long ago, so that its
// tip is not recent.
var chainStart = steptest.Epoch.Add(-1000 * 24 * time.Hour)

func newTree() *tree {
	t := &tree{nodes: map[chainhash.Hash]*node{}}
	t.genesis = t.add(nil, 1)
	return t
}

func (t *tree) add(parent *node, work uint32) *node {
	t.nonce++
	n := &node{parent: parent, header: &wire.BlockHeader{Bits: work, Nonce: t.nonce}}
	at, sum := chainStart, chain.WorkFrom64(uint64(work))
	if parent != nil {
		n.header.PrevBlock = parent.Hash
		n.Height = parent.Height + 1
		at, sum = parent.Time.Add(10*time.Second), sum.Add(parent.Work)
	}
	n.header.Timestamp = at
	n.Point = chain.Point{Hash: n.header.BlockHash(), Height: n.Height, Work: sum, Time: at}
	t.nodes[n.Hash] = n
	return n
}

// grow adds a branch of n blocks with a work each and returns its tip.
func (t *tree) grow(from *node, n int, work uint32) *node {
	for range n {
		from = t.add(from, work)
	}
	return from
}

func (n *node) at(height int32) *node {
	for n != nil && n.Height > height {
		n = n.parent
	}
	return n
}

func (n *node) has(o *node) bool { return n.at(o.Height) == o }

func fork(a, b *node) *node {
	h := min(a.Height, b.Height)
	for a, b = a.at(h), b.at(h); a != b; {
		a, b = a.parent, b.parent
	}
	return a
}

// sent is the block as a peer sends it.
func (n *node) sent(by actor.ID, size int, asked bool) peer.BlockReceived {
	return peer.BlockReceived{Peer: by, Hash: n.Hash, Header: *n.header, Payload: make([]byte, size), Asked: asked}
}

// mutated is a copy of the block with another body.
func mutated(b peer.BlockReceived) peer.BlockReceived {
	b.Payload = slices.Clone(b.Payload)
	b.Payload[len(b.Payload)-1] = 1
	return b
}

// locate answers getheaders as an honest peer with this tip does.
func (n *node) locate(locator []*chainhash.Hash) []*wire.BlockHeader {
	start := int32(0)
	if len(locator) > 0 {
		for x := n; x.parent != nil; x = x.parent {
			if slices.ContainsFunc(locator, func(h *chainhash.Hash) bool { return *h == x.Hash }) {
				start = x.Height
				break
			}
		}
	}
	top := n.at(start + wire.MaxBlockHeadersPerMsg)
	var headers []*wire.BlockHeader
	for x := top; x.Height > start; x = x.parent {
		headers = append(headers, x.header)
	}
	slices.Reverse(headers)
	return headers
}

// fakeChain is chain as netsync sees it: a tree of headers and a set of blocks.
type fakeChain struct {
	t       *tree
	headers map[*node]bool
	blocks  map[*node]bool
	bad     map[*node]bool
	best    *node // block
	header  *node // best header
}

func newFakeChain(t *tree) *fakeChain {
	c := &fakeChain{t: t, headers: map[*node]bool{t.genesis: true}, blocks: map[*node]bool{t.genesis: true}, bad: map[*node]bool{}}
	c.best, c.header = t.genesis, t.genesis
	return c
}

func (c *fakeChain) tips() chain.Tips {
	return chain.Tips{Block: c.best.Point, Header: c.header.Point, MedianTime: c.best.Time}
}

// rebuild loses the headers without blocks, as a restart does.
func (c *fakeChain) rebuild() {
	for n := range c.headers {
		if !c.blocks[n] {
			delete(c.headers, n)
		}
	}
	c.header = c.best
}

func (c *fakeChain) badBranch(n *node) bool {
	for ; n != nil && !c.blocks[n]; n = n.parent {
		if c.bad[n] {
			return true
		}
	}
	return false
}

func (c *fakeChain) answer(q any) any {
	switch q := q.(type) {
	case chain.SubmitHeaders:
		return c.submitHeaders(q)
	case chain.SubmitBlock:
		return c.submitBlock(q)
	case chain.GetLocator:
		return c.locator(q)
	case chain.GetPath:
		return c.path(q)
	case chain.GetForks:
		return c.forks(q)
	}
	return nil
}

func (c *fakeChain) submitHeaders(q chain.SubmitHeaders) chain.HeadersVerdict {
	v := chain.HeadersVerdict{}
	for _, h := range q.Headers {
		n := c.t.nodes[h.BlockHash()]
		switch {
		case n == nil || n.parent == nil || !c.headers[n.parent]:
			v.Code = chain.Orphan
		case n.hflaw != chain.OK:
			v.Code, v.Reason = n.hflaw, n.hflaw.String()
		case c.badBranch(n):
			v.Code, v.Reason = chain.BadAncestor, "bad-prevblk"
		}
		if v.Code != chain.OK {
			break
		}
		v.Accepted++
		if !c.headers[n] {
			v.New++
			c.headers[n] = true
		}
		if n.Work.Cmp(c.header.Work) > 0 {
			c.header = n
		}
		v.Last = n.Point
	}
	if v.Accepted > 0 {
		v.Fork = fork(c.t.nodes[v.Last.Hash], c.header).Point
	}
	v.Best = c.header.Point
	return v
}

func (c *fakeChain) submitBlock(q chain.SubmitBlock) chain.Verdict {
	n := c.t.nodes[q.Hash]
	v := chain.Verdict{Hash: q.Hash, Tip: c.best.Point}
	switch {
	case c.blocks[n]:
		v.Code = chain.Duplicate
	case c.badBranch(n.parent):
		v.Code = chain.BadAncestor
	case !c.blocks[n.parent]:
		v.Code = chain.Orphan
	case q.Payload[len(q.Payload)-1] == 1: // see mutated
		v.Code, v.Reason = chain.Mutated, "bad-txnmrklroot"
	case n.flaw != chain.OK:
		v.Code, v.Reason = n.flaw, n.flaw.String()
		if n.flaw == chain.Invalid {
			c.bad[n] = true
			c.header = c.best
			for h := range c.headers {
				if !c.badBranch(h) && (h.Work.Cmp(c.header.Work) > 0 || h.Work == c.header.Work && h.header.Nonce < c.header.header.Nonce) {
					c.header = h
				}
			}
		}
	default:
		c.blocks[n], c.headers[n] = true, true
		if n.Work.Cmp(c.best.Work) > 0 {
			c.best = n
		}
		v.Tip = c.best.Point
	}
	return v
}

func (c *fakeChain) locator(q chain.GetLocator) chain.Locator {
	from := c.header
	if n := c.t.nodes[q.From]; n != nil && c.headers[n] {
		from = n
	}
	if q.Parent && from.parent != nil {
		from = from.parent
	}
	l := chain.Locator{Tip: from.Point}
	step := int32(1)
	for n := from; ; n = n.at(max(n.Height-step, 0)) {
		l.Hashes = append(l.Hashes, &n.Hash)
		if n.parent == nil {
			return l
		}
		if len(l.Hashes) > 10 {
			step *= 2
		}
	}
}

func (c *fakeChain) path(q chain.GetPath) chain.Path {
	to := c.t.nodes[q.To]
	if to == nil || !c.headers[to] || c.badBranch(to) {
		return chain.Path{}
	}
	a := chain.Path{Known: true, To: to.Point}
	var all []*node
	shared := fork(to, c.best)
	for n := to; n != shared && n.Hash != q.After; n = n.parent {
		all = append(all, n)
	}
	for i := len(all) - 1; i >= 0 && len(a.Missing) < q.Max; i-- {
		if c.blocks[all[i]] {
			a.Have++
			continue
		}
		a.Missing = append(a.Missing, all[i].Point)
	}
	return a
}

func (c *fakeChain) forks(q chain.GetForks) chain.Forks {
	var f chain.Forks
	to := c.t.nodes[q.To]
	for _, h := range q.Hashes {
		n := c.t.nodes[h]
		if n == nil || !c.headers[n] || to == nil || !c.headers[to] {
			f.Points, f.Shared = append(f.Points, chain.Point{}), append(f.Shared, chain.Point{})
			continue
		}
		f.Points, f.Shared = append(f.Points, n.Point), append(f.Shared, fork(n, to).Point)
	}
	return f
}

// testPorts are wired as the node does it, with small windows.
func testPorts() (Ports, []actor.PortSpec) {
	var all actor.Ports
	toChain, toReaders := actor.Ref[chain.Chain](2), actor.Ref[chain.Readers](3)
	p := Ports{
		Headers: actor.Connect[chain.SubmitHeaders](&all, "headers", toChain, 4, time.Minute),
		Block:   actor.Connect[chain.SubmitBlock](&all, "block", toChain, 16, time.Minute),
		Locator: actor.Connect[chain.GetLocator](&all, "locator", toReaders, 8, time.Minute),
		Path:    actor.Connect[chain.GetPath](&all, "path", toReaders, 2, time.Minute),
		Forks:   actor.Connect[chain.GetForks](&all, "forks", toReaders, 2, time.Minute),
		Send:    actor.ConnectOf[peer.Send](&all, "send", 512, time.Minute),
	}
	return p, all.Specs
}

func hashesOf(nodes ...*node) []chainhash.Hash {
	var h []chainhash.Hash
	for _, n := range nodes {
		h = append(h, n.Hash)
	}
	return h
}

func hashPtrs(nodes ...*node) []*chainhash.Hash {
	var h []*chainhash.Hash
	for _, n := range nodes {
		h = append(h, &n.Hash)
	}
	return h
}
