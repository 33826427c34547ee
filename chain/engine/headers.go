package engine

import (
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// applyHeaders takes headers, each the child of the one before, up to the first
// that is refused.
func (e *Engine) applyHeaders(headers []*wire.BlockHeader) (v chain.HeadersVerdict) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.file.flush()

	var last node
	for i, h := range headers {
		if i > 0 && h.PrevBlock != last.Hash {
			v.Code, v.Reason = chain.Orphan, rules[blockchain.ErrPreviousBlockUnknown].reason
			v.Detail = fmt.Sprintf("header %d is not the child of the one before", i)
			break
		}
		n, isNew, refused := e.acceptHeader(h, last)
		if refused != nil {
			v.Code, v.Reason, v.Detail = refused.code, refused.reason, refused.detail
			break
		}
		last = n
		v.Accepted++
		if isNew {
			v.New++
		}
	}
	if e.fatal == "" {
		e.refreshTips()
	}
	v.Best = e.tips.Header
	if v.Accepted > 0 {
		e.tree.remember(last)
		v.Last = last.Point
		v.Fork = e.tree.fork(last, e.tree.must(v.Best.Hash)).Point
	}
	return v
}

// acceptHeader gives one header to btcd. If parent is not the header's parent, that
// is looked up. isNew says that the header was not known before. The caller holds
// mu.
func (e *Engine) acceptHeader(h *wire.BlockHeader, parent node) (n node, isNew bool, refused *refusal) {
	hash := h.BlockHash()
	if hash == *e.params.GenesisHash {
		return e.tree.must(hash), false, nil
	}
	if parent.Hash != h.PrevBlock {
		var ok bool
		if parent, ok = e.tree.node(h.PrevBlock); !ok {
			return node{}, false, refuse(blockchain.ErrPreviousBlockUnknown, fmt.Sprintf("the parent %v is not known", h.PrevBlock))
		}
		if e.valid.condemned(e.tree, parent) {
			return node{}, false, refuse(blockchain.ErrInvalidAncestorBlock, fmt.Sprintf("a block before %v is invalid", hash))
		}
	}
	if e.valid.isBad(hash) {
		return node{}, false, refuse(blockchain.ErrKnownInvalidBlock, fmt.Sprintf("block %v is known to be invalid", hash))
	}
	_, unknown := e.chain.HeaderByHash(&hash)
	if _, err := e.chain.ProcessBlockHeader(h, blockchain.BFNone, false); err != nil {
		refused, ok := asRefusal(err)
		if !ok {
			e.fail(err)
			refused = &refusal{rule{chain.Fatal, "fatal"}, e.fatal}
		}
		return node{}, false, refused
	}
	n = e.tree.child(parent, hash, h)
	if unknown != nil {
		e.valid.grow(n, h.PrevBlock)
		if e.file != nil { // nil while the file is replayed
			e.file.append(h)
		}
	}
	return n, unknown != nil, nil
}
