package fake

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

func (s *Store) locator(q chain.GetLocator) chain.Locator {
	e := s.header
	if q.From != (chainhash.Hash{}) {
		if e = s.entries[q.From]; e == nil {
			return chain.Locator{}
		}
	}
	if q.Parent && e.parent != nil {
		e = e.parent
	}
	l := chain.Locator{Tip: e.Point}
	for step := int32(1); ; e = e.ancestor(max(0, e.Height-step)) {
		l.Hashes = append(l.Hashes, &e.Hash)
		if e.parent == nil {
			return l
		}
		if len(l.Hashes) > 10 {
			step *= 2
		}
	}
}

func (s *Store) path(q chain.GetPath) chain.Path {
	to := s.entries[q.To]
	if to == nil || to.bad {
		return chain.Path{}
	}
	p := chain.Path{Known: true, To: to.Point}
	from := fork(to, s.tip())
	if after := s.entries[q.After]; after != nil && to.ancestor(after.Height) == after {
		from = after
	}
	for _, e := range branch(from, to) {
		switch {
		case len(p.Missing) == q.Max:
			return p
		case e.block == nil:
			p.Missing = append(p.Missing, e.Point)
		case len(p.Missing) > 0:
			p.Have++
		}
	}
	return p
}

func (s *Store) forks(q chain.GetForks) chain.Forks {
	to := s.header
	if q.To != (chainhash.Hash{}) {
		to = s.entries[q.To]
	}
	f := chain.Forks{
		Points: make([]chain.Point, len(q.Hashes)),
		Shared: make([]chain.Point, len(q.Hashes)),
	}
	for i, h := range q.Hashes {
		if e := s.entries[h]; e != nil && to != nil {
			f.Points[i], f.Shared[i] = e.Point, fork(e, to).Point
		}
	}
	return f
}

// after lists the best chain behind the first hash of the locator that is part of
// it. The list ends with stop and has at most max entries. Without a locator it is
// stop alone.
func (s *Store) after(locator []*chainhash.Hash, stop chainhash.Hash, max int) []*entry {
	if len(locator) == 0 {
		if e := s.entries[stop]; e != nil && e.block != nil {
			return []*entry{e}
		}
		return nil
	}
	from := 0
	for _, h := range locator {
		if e := s.entries[*h]; e != nil && s.inMain(e) {
			from = int(e.Height)
			break
		}
	}
	var list []*entry
	for _, e := range s.main[from+1:] {
		if list = append(list, e); len(list) == max || e.Hash == stop {
			break
		}
	}
	return list
}

func (s *Store) headers(q chain.GetHeaders) (a chain.Headers) {
	for _, e := range s.after(q.Locator, q.Stop, s.HeadersPerMessage) {
		a.Headers = append(a.Headers, &e.header)
	}
	return a
}

func (s *Store) hashes(q chain.GetHashes) (a chain.Hashes) {
	for _, e := range s.after(q.Locator, q.Stop, wire.MaxBlocksPerMsg) {
		a.Hashes = append(a.Hashes, e.Hash)
	}
	return a
}

func (s *Store) block(q chain.GetBlock) chain.Block {
	e := s.entries[q.Hash]
	if e == nil || !s.inMain(e) {
		return chain.Block{Hash: q.Hash}
	}
	return chain.Block{Hash: q.Hash, Height: e.Height, Payload: payload(e.block, q.Witness)}
}

func (s *Store) hashAt(q chain.GetHash) chain.HashAt {
	if q.Height < 0 || int(q.Height) >= len(s.main) {
		return chain.HashAt{}
	}
	return chain.HashAt{Known: true, Hash: s.main[q.Height].Hash}
}

func (s *Store) headerInfo(q chain.GetHeader) chain.HeaderInfo {
	e := s.entries[q.Hash]
	if e == nil {
		return chain.HeaderInfo{}
	}
	info := chain.HeaderInfo{Known: true, Header: e.header, Point: e.Point, MedianTime: e.medianTime(), InBestChain: s.inMain(e)}
	if next := int(e.Height) + 1; info.InBestChain && next < len(s.main) {
		info.Next = s.main[next].Hash
	}
	return info
}

func (s *Store) template(txs bool) chain.Template {
	tip := s.tip()
	t := chain.Template{Prev: tip.Point, Version: 4, Bits: tip.header.Bits, MinTime: tip.medianTime().Add(1e9), Subsidy: 50e8}
	if txs {
		t.Txs = s.templateTxs()
	}
	return t
}
