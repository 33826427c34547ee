package relay

import (
	"fmt"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// pending is under way when events of the pool were missed: readers are asked for all
// names. What happens until they answer is kept, because the answer may be older than
// that.
type pending struct {
	resync
	news    bool // what is new in the answer may be announced
	changes []poolChange
	n, max  int // transactions in changes
}

// poolChange is one of two: what came, or what went.
type poolChange struct {
	came []chain.PoolTx
	went []chain.TxID
}

func (s *pending) accepted(e chain.TxAccepted) { s.note(poolChange{came: e.Txs}, len(e.Txs)) }
func (s *pending) removed(txs []chain.TxID)    { s.note(poolChange{went: txs}, len(txs)) }

// note keeps a change. When there are too many, the question is asked again.
func (s *pending) note(c poolChange, n int) {
	if s.asked == 0 {
		return
	}
	if s.n+n > s.max {
		s.again()
		return
	}
	s.changes, s.n = append(s.changes, c), s.n+n
}

// again has the names asked for. An answer under way no longer counts.
func (s *pending) again() { s.wanted, s.asked, s.changes, s.n = true, 0, nil, 0 }

func (m *Machine) onTxsLagged() {
	m.pending.again()
	m.pending.news = true
}

func (m *Machine) askPool(out *actor.Outbox) {
	if m.pending.due() {
		m.pending.asked, _ = m.ports.Pool.Ask(out, 0, chain.GetPool{})
		m.starved = m.starved || m.pending.asked == 0
	}
}

// onPool makes the names those of the answer, and then lets happen once more what has
// happened since the question. If events were missed, what relay did not know is
// announced now. A rebuilt relay announces nothing: its peers may have been told.
func (m *Machine) onPool(now time.Time, in actor.Input, e chain.Pool) {
	s := &m.pending
	if !s.ended(now, in, m.cfg.RetryAfter) {
		return
	}
	if in.Err != nil {
		s.again()
		return
	}
	changes, news := s.changes, s.news
	*s = pending{max: s.max}
	m.pool.keep(e.Txs)
	m.missed(now, e.Txs, news)
	for _, c := range changes {
		m.missed(now, c.came, news)
		for _, id := range c.went {
			m.pool.remove(id)
		}
	}
}

// missed adds transactions of the pool.
func (m *Machine) missed(now time.Time, txs []chain.PoolTx, news bool) {
	for _, t := range txs {
		first := m.pool.next
		entry := m.pool.add(t)
		if entry == nil || entry.number < first {
			continue
		}
		m.settled(t.ID)
		if news && now.Sub(t.Added) <= m.cfg.MaxTxAge {
			m.tell(now, entry, t.Source)
		}
	}
}

func (s *pending) check(starved bool) error {
	n := 0
	for _, c := range s.changes {
		n += len(c.came) + len(c.went)
	}
	switch {
	case n != s.n || n > s.max:
		return fmt.Errorf("%d changes of the pool are kept, counted are %d, at most %d may be", n, s.n, s.max)
	case n > 0 && s.asked == 0:
		return fmt.Errorf("%d changes of the pool are kept for no answer", n)
	case s.due() && !starved:
		return fmt.Errorf("the names of the pool are wanted and not asked for")
	}
	return nil
}
