package relay

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/relay/track"
)

// The fee filters (BIP133): peers are told below which fee rate a transaction is of no use
// to us, and tell us theirs.

// onFeeFilter notes below which fee rate a peer is not told of transactions.
func (m *Machine) onFeeFilter(e peer.FeeFilter) {
	if p := m.peer(e.Peer); p != nil {
		p.floor = e.Rate
	}
}

// fees is what the pool takes, as last heard. Readers are asked for it when there is a
// peer to tell, when the pool has become full, and from time to time while its least fee
// is higher than usual, since that decays.
type fees struct {
	inquiry
	known   bool
	least   int64     // what it takes ever
	rate    int64     // what it takes now
	askedAt time.Time // when it was asked last
}

// risen notes that the pool is full. Each transaction says so, so it is not asked each
// time.
func (f *fees) risen(now time.Time, b *Bounds) {
	if !f.known {
		return
	}
	at := f.askedAt.Add(b.FeeInterval)
	if !at.After(now) {
		at = time.Time{} // now
	}
	if !f.wanted || at.Before(f.retryAt) {
		f.wanted, f.retryAt = true, at
	}
}

func (m *Machine) askFees(now time.Time, out *actor.Outbox) {
	if m.fees.due() {
		m.fees.asked, _ = m.ports.PoolInfo.Ask(out, 0, chain.GetPoolInfo{})
		m.fees.askedAt = now
		m.starved = m.starved || m.fees.asked == 0
	}
}

// onPoolInfo notes the fee rate of the pool. After a failure it is asked for again later.
func (m *Machine) onPoolInfo(now time.Time, in actor.Input, e chain.PoolInfo) {
	f := &m.fees
	f.ended(now, in, m.cfg.RetryAfter)
	if in.Err != nil {
		return
	}
	changed := !f.known || f.rate != e.MinFee // the least stays what it is
	f.known, f.rate, f.least = true, e.MinFee, e.MinRelayFee
	if f.wanted = f.rate > f.least; f.wanted {
		f.retryAt = now.Add(m.cfg.FeePoll)
	}
	if changed {
		m.feeChanged(now)
	}
}

// feeChanged has all peers told, each in its time.
func (m *Machine) feeChanged(now time.Time) {
	for _, p := range m.peers {
		if p.feefilter {
			m.lookAtFee(now, p)
		}
	}
}

// lookAtFee decides whether a peer is told of the fee rate now, or at its time.
func (m *Machine) lookAtFee(now time.Time, p *remote) {
	if !m.fees.known {
		return
	}
	rate := m.fees.rate
	if !m.caughtUp {
		rate = track.MaxFeeRate // no transaction is of use
	}
	due := !p.fee.Deadline().After(now)
	filter, send := p.fee.Advance(now, m.rng, m.cfg.Txs, m.rounder, rate, m.fees.least)
	if send {
		p.tellFee, p.feeRate = true, filter
	}
	p.feeOpen = !send && !due
}

// feeMessage is the feefilter that a peer is to be sent, or nil.
func (p *remote) feeMessage() *message {
	if !p.tellFee {
		return nil
	}
	p.tellFee = false
	return send1(wire.NewMsgFeeFilter(p.feeRate))
}

// feeDue is when a peer may have to be told of the fee rate. Zero: no clock runs.
func (p *remote) feeDue() time.Time {
	if !p.feeOpen {
		return time.Time{}
	}
	return p.fee.Deadline()
}

func (f *fees) check(starved bool) error {
	if f.due() && !starved {
		return fmt.Errorf("the pool's fee rate is wanted and not asked for")
	}
	return nil
}
