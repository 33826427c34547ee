package relay

import (
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// resync is under way when events of the chain were missed: chain is asked for the
// tip.
type resync struct {
	wanted  bool
	asked   actor.Ticket // the GetTips outstanding; zero: none
	retryAt time.Time    // after a failure; zero: no clock runs
}

// due says whether the tip is to be asked for now.
func (r *resync) due() bool { return r.wanted && r.asked == 0 && r.retryAt.IsZero() }

// ended notes the end of a question. It returns false if it was asked before the events
// that were missed last: then the answer does not count. If it has failed, the next
// question waits.
func (r *resync) ended(now time.Time, in actor.Input, after time.Duration) (counts bool) {
	if in.Err != nil && r.wanted {
		r.retryAt = now.Add(after)
	}
	if in.Ticket != r.asked {
		return false
	}
	r.asked = 0
	return true
}

// onStart asks for the tip when relay was rebuilt: a block may have been
// connected while it was dead.
func (m *Machine) onStart(e actor.Start) {
	m.resync.wanted = e.Generation > 0
	m.pending.wanted = e.Generation > 0
}

// onLagged drops all news, for they may have left the best chain. The tip will be
// announced instead. An answer under way may be older than what was missed.
func (m *Machine) onLagged(e actor.Lagged) {
	if e.Topic == m.topics.Txs.ID {
		m.onTxsLagged()
		return
	}
	for _, p := range m.peers {
		m.stats.Coalesced += uint64(p.news.drop())
	}
	m.resync.wanted, m.resync.asked = true, 0
}

func (m *Machine) askTips(out *actor.Outbox) {
	if m.resync.due() {
		m.resync.asked, _ = m.ports.Tips.Ask(out, 0, chain.GetTips{})
		m.starved = m.starved || m.resync.asked == 0
	}
}

// onTips notes the tip. If it is the answer to GetTips, the tip is announced,
// unless the stream has brought a block in the meantime: the answer may be older.
func (m *Machine) onTips(now time.Time, in actor.Input, e chain.Tips) {
	if in.Ticket == 0 {
		m.newTip(now, e.Block)
		return
	}
	if m.resync.ended(now, in, m.cfg.RetryAfter) && m.resync.wanted && in.Err == nil {
		m.resync.wanted = false
		m.newTip(now, e.Block)
		if now.Sub(e.Block.Time) <= m.cfg.MaxTipAge {
			m.announce(now, newBlock{hash: e.Block.Hash}, 0)
		}
	}
}

// newTip notes the best block. What was rejected before it may be good now.
func (m *Machine) newTip(now time.Time, tip chain.Point) {
	if tip.Hash != m.tip.Hash {
		m.rejected.Clear()
	}
	m.tip = tip
	if !m.caughtUp && now.Sub(tip.Time) <= m.cfg.MaxTipAge {
		m.caughtUp = true
		m.feeChanged(now)
	}
}
