package netsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// submission is a block that chain is judging.
type submission struct {
	ticket actor.Ticket
	hash   chainhash.Hash
	at     chain.Point
	from   actor.ID
	size   int
}

// submitBlocks hands held blocks to chain in path order, several at a time so
// that it never waits for us.
func (m *Machine) submitBlocks(now time.Time, out *actor.Outbox) {
	if now.Before(m.submitAfter) {
		return
	}
	m.submitAfter = time.Time{}
	for {
		seq, s := m.w.nextToHand()
		if s == nil || m.submitBytes > 0 && m.submitBytes+s.size > m.cfg.SubmitBytes {
			return
		}
		t, ok := m.ports.Block.Ask(out, 0, chain.SubmitBlock{Block: s.block, Hash: s.at.Hash, Source: s.from})
		if !ok {
			return
		}
		m.submits = append(m.submits, submission{ticket: t, hash: s.at.Hash, at: s.at, from: s.from, size: s.size})
		m.submitBytes += s.size
		m.w.hand(seq)
	}
}

// onVerdict moves the window on, or back.
func (m *Machine) onVerdict(now time.Time, in actor.Input, v chain.Verdict, out *actor.Outbox) {
	i := slices.IndexFunc(m.submits, func(s submission) bool { return s.ticket == in.Ticket })
	if i < 0 {
		panic(fmt.Sprintf("netsync: a verdict on ticket %d, which is not open", in.Ticket))
	}
	sub := m.submits[i]
	m.submits = slices.Delete(m.submits, i, i+1)
	m.submitBytes -= sub.size
	m.stats.dirty = true
	if in.Err != nil {
		// Whether chain took it is not known: it may have been rebuilt.
		m.w.unhand(sub.hash)
		m.pauseSubmits(now)
		return
	}
	if v.Tip.Work.Cmp(m.tips.Block.Work) > 0 {
		m.tips.Block = v.Tip
	}
	switch v.Code {
	case chain.OK, chain.Duplicate:
		m.stats.took(now, sub.hash, v.Code == chain.OK)
		m.w.finish(sub.hash)
		m.aside.done(sub.hash)
	case chain.Orphan:
		m.onOrphan(now, sub)
	case chain.TooNew:
		m.w.unhand(sub.hash)
		m.submitAfter = now.Add(m.cfg.TooNewRetry)
	case chain.Mutated:
		m.onMutated(sub, v, out)
	case chain.Invalid, chain.BadAncestor, chain.Checkpoint:
		m.onInvalid(now, sub, v, out)
	default: // Fatal: the node is stopping
		m.w.unhand(sub.hash)
		m.pauseSubmits(now)
	}
}

// pauseSubmits leaves chain alone for a moment and then asks it what is missing.
func (m *Machine) pauseSubmits(now time.Time) {
	m.submitAfter = now.Add(m.cfg.Retry)
	m.route.rebuild(m.submitAfter)
}

// onOrphan keeps the block. If one before it was refused it follows when that
// one is here; otherwise the path is wrong and asked for anew.
func (m *Machine) onOrphan(now time.Time, sub submission) {
	first := m.w.len() > 0 && m.w.slots[0].at.Hash == sub.hash
	m.w.unhand(sub.hash)
	if first {
		m.pauseSubmits(now)
	}
}

// onMutated gets another copy: the header is fine, the body is not its body.
// Only copies that were asked for come here, and only those who have witness
// data are asked: whoever sent this one changed it.
func (m *Machine) onMutated(sub submission, v chain.Verdict, out *actor.Outbox) {
	m.w.refuse(sub.hash)
	if p := m.active(sub.from); p != nil {
		m.drop(p, fmt.Sprintf("block %v: %s (%s)", sub.hash, v.Reason, v.Detail), true, out)
	}
}

// onInvalid gives up the branch. The one that sent the block is at fault, unless
// the block only descends from a bad one: then we asked for it before we knew.
// What was proved by headers on the branch is worth nothing any more.
func (m *Machine) onInvalid(now time.Time, sub submission, v chain.Verdict, out *actor.Outbox) {
	if p := m.active(sub.from); p != nil && v.Code != chain.BadAncestor {
		m.drop(p, fmt.Sprintf("block %v: %s (%s)", sub.hash, v.Reason, v.Detail), true, out)
	}
	if m.w.find(sub.hash) == nil {
		return // another branch by now
	}
	for _, p := range m.ready {
		onBranch := p.sharedTo == m.route.to.Hash && p.sharedOf == p.best.Hash && p.shared >= sub.at.Height
		if !p.leaving && (onBranch || p.best.Hash == m.route.to.Hash) {
			m.unprove(now, p)
		}
	}
	m.leaveRoute()
}

// checkSubmits verifies what chain is judging.
func (m *Machine) checkSubmits() error {
	sum, inWindow := 0, map[chainhash.Hash]int{}
	for _, s := range m.submits {
		sum += s.size
		inWindow[s.hash]++
	}
	if sum != m.submitBytes {
		return fmt.Errorf("chain judges %d bytes, %d noted", sum, m.submitBytes)
	}
	if sum > m.cfg.SubmitBytes && len(m.submits) > 1 {
		return fmt.Errorf("chain judges %d bytes in %d blocks", sum, len(m.submits))
	}
	for i := range m.w.slots {
		if s := &m.w.slots[i]; s.state == handed && inWindow[s.at.Hash] == 0 {
			return fmt.Errorf("block %d was handed over and nobody judges it", s.at.Height)
		}
	}
	return nil
}
