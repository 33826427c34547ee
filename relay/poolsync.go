package relay

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// pending is under way when events of the pool were missed: readers are asked for all
// names. Their answer may be older than what happens meanwhile. So it does not count for
// what has come or gone since the question.
type pending struct {
	inquiry
	news  bool                        // what is new in the answer may be announced
	since map[chainhash.Hash]struct{} // txids, at most max
	max   int
}

func (s *pending) accepted(e chain.TxAccepted) {
	for _, t := range e.Txs {
		s.note(t.ID)
	}
}

func (s *pending) removed(txs []chain.TxID) {
	for _, id := range txs {
		s.note(id)
	}
}

// note notes a change. When there are too many, the question is asked again.
func (s *pending) note(id chain.TxID) {
	if s.asked == 0 {
		return
	}
	if s.since[id.TxID] = struct{}{}; len(s.since) > s.max {
		s.again()
	}
}

// again has the names asked for. An answer under way no longer counts.
func (s *pending) again() { s.wanted, s.asked, s.since = true, 0, nil }

func (m *Machine) onTxsLagged() {
	m.pending.again()
	m.pending.news = true
}

func (m *Machine) askPool(out *actor.Outbox) {
	if m.pending.due() {
		m.pending.asked, _ = m.ports.Pool.Ask(out, 0, chain.GetPool{})
		m.pending.since = map[chainhash.Hash]struct{}{}
		m.starved = m.starved || m.pending.asked == 0
	}
}

// onPool makes the names those of the answer. If events were missed, what relay did not
// know is announced now. A rebuilt relay announces nothing: its peers may have been told.
// But what RPC sent lately it announces in a while, in case no peer has asked for it.
func (m *Machine) onPool(now time.Time, in actor.Input, e chain.Pool) {
	s := &m.pending
	if !s.ended(now, in, m.cfg.RetryAfter) {
		return
	}
	if in.Err != nil {
		s.again()
		return
	}
	since, news := s.since, s.news
	*s = pending{max: s.max}
	m.pool.keep(e.Txs, since)
	for _, t := range e.Txs {
		if _, changed := since[t.ID.TxID]; !changed {
			m.missed(now, t, news)
		}
	}
}

// missed adds a transaction of the pool, unless it is known.
func (m *Machine) missed(now time.Time, t chain.PoolTx, news bool) {
	first := m.pool.next
	entry := m.pool.add(t)
	if entry == nil || entry.number < first {
		return
	}
	m.settled(t.ID)
	if now.Sub(t.Added) > m.cfg.MaxTxAge {
		return
	}
	if t.Ours {
		m.unbroadcast.Add(now, m.rng, t.ID)
	}
	if news {
		m.tell(now, entry, t.Source)
	}
}

func (s *pending) check(starved bool) error {
	switch {
	case len(s.since) > s.max:
		return fmt.Errorf("%d changes of the pool are kept, at most %d may be", len(s.since), s.max)
	case len(s.since) > 0 && s.asked == 0:
		return fmt.Errorf("%d changes of the pool are kept for no answer", len(s.since))
	case s.due() && !starved:
		return fmt.Errorf("the names of the pool are wanted and not asked for")
	}
	return nil
}
