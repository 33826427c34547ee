package netsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// submits tracks the blocks that chain is judging.
type submits struct {
	*facts
	span  *span
	route *route

	list  []submission // in the order asked
	next  uint64       // the number of the next one: the key of its question
	bytes int          // of list
	after time.Time    // chain is left alone until then; zero: it is not

	recent    [64]chainhash.Hash // the last blocks that chain has taken, in a ring
	taken     int                // how many there were
	connected uint64             // those that were new to chain
	meter     meter              // of those
}

// submission is a block that chain is judging.
type submission struct {
	number uint64
	at     chain.Point
	from   actor.ID
	size   int
}

// plan hands held blocks to chain in path order. It hands over several at a time,
// so that chain never waits for us.
func (s *submits) plan(port actor.Port[chain.SubmitBlock, chain.Verdict], out *actor.Outbox) {
	if s.now.Before(s.after) {
		return
	}
	for {
		e := s.span.nextToHand()
		if e == nil || s.bytes > 0 && s.bytes+e.size > s.cfg.SubmitBytes {
			return
		}
		if _, ok := port.Ask(out, s.next, chain.SubmitBlock{Payload: e.block, Hash: e.at.Hash, Source: e.from}); !ok {
			return
		}
		s.list = append(s.list, submission{number: s.next, at: e.at, from: e.from, size: e.size})
		s.next++
		s.bytes += e.size
		s.span.set(e, handed)
	}
}

// onVerdict moves the span on, or back.
func (s *submits) onVerdict(in actor.Input, v chain.Verdict) {
	i := slices.IndexFunc(s.list, func(b submission) bool { return b.number == in.Key })
	if i < 0 {
		panic(fmt.Sprintf("netsync: a verdict on submission %d, which is not open", in.Key))
	}
	sub := s.list[i]
	hash := sub.at.Hash
	s.list = slices.Delete(s.list, i, i+1)
	s.bytes -= sub.size
	if in.Err != nil {
		// It is not known whether chain took it: it may have been rebuilt.
		s.span.unhand(hash)
		s.pause()
		return
	}
	if v.Tip.Work.Cmp(s.tips.Block.Work) > 0 {
		s.tips.Block = v.Tip
	}
	switch v.Code {
	case chain.OK, chain.Duplicate:
		s.recent[s.taken%len(s.recent)] = hash
		s.taken++
		s.connected += uint64(btoi(v.Code == chain.OK))
		s.meter.add(s.now, btoi(v.Code == chain.OK))
		s.span.finish(hash)
		s.route.aside.done(hash)
	case chain.Orphan:
		// If a block before it was refused, it follows when that one is here.
		// Otherwise the path is wrong.
		first := s.span.len() > 0 && s.span.entry(s.span.base).at.Hash == hash
		s.span.unhand(hash)
		if first {
			s.pause()
		}
	case chain.TooNew:
		s.span.unhand(hash)
		s.after = s.now.Add(s.cfg.TooNewRetry)
	case chain.Mutated:
		// The header is fine, the body does not belong to it. Only copies that
		// were asked for come here, and only peers that have witness data are
		// asked. So the peer that sent this copy changed it.
		s.span.refuse(hash)
		s.blame(sub, v)
	case chain.Invalid, chain.Checkpoint:
		s.blame(sub, v)
		s.route.refuse(sub.at)
	case chain.BadAncestor:
		// The block was asked for before its ancestor was known to be bad.
		s.route.refuse(sub.at)
	default: // Fatal: the node is stopping
		s.span.unhand(hash)
		s.pause()
	}
}

// blame drops the peer that sent a bad block.
func (s *submits) blame(sub submission, v chain.Verdict) {
	if p := s.find(sub.from); p != nil {
		s.drop(p, fmt.Sprintf("block %v: %s (%s)", sub.at.Hash, v.Reason, v.Detail), true)
	}
}

// pause leaves chain alone for a moment. Then it is asked what is missing.
func (s *submits) pause() {
	s.after = s.now.Add(s.cfg.Retry)
	s.route.rebuild(s.after)
}

// gave says whether chain can have got a block from us.
func (s *submits) gave(h chainhash.Hash) bool {
	e := s.span.find(h)
	return e != nil && (e.state == handed || e.state == done) || slices.Contains(s.recent[:], h)
}

func (s *submits) deadlines(d *actor.Earliest) { d.Add(s.after) }

// maxSubmits is more than the port has slots.
const maxSubmits = 64

func (s *submits) check() error {
	sum, judged := 0, map[chainhash.Hash]bool{}
	for _, b := range s.list {
		sum += b.size
		judged[b.at.Hash] = true
	}
	if sum != s.bytes {
		return fmt.Errorf("chain judges %d bytes, %d noted", sum, s.bytes)
	}
	if sum > s.cfg.SubmitBytes && len(s.list) > 1 || len(s.list) > maxSubmits {
		return fmt.Errorf("chain judges %d bytes in %d blocks", sum, len(s.list))
	}
	for i := range s.span.entries {
		if e := &s.span.entries[i]; e.state == handed && !judged[e.at.Hash] {
			return fmt.Errorf("block %d was handed over and is not being judged", e.at.Height)
		}
	}
	return nil
}
