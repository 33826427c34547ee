package pool

import (
	"math"
	"time"

	"acyclic/chain"
)

// rolling is the minimum fee rate of a pool that was full: above what was evicted
// last. It falls again with time, once a block has come.
type rolling struct {
	rate    float64 // satoshi per 1,000 virtual bytes
	at      time.Time
	sinking bool // a block has come since it rose last
}

// rise lifts the rate over that of what was evicted.
func (r *rolling) rise(rate float64) {
	if rate > r.rate {
		r.rate, r.sinking = rate, false
	}
}

// block says that a block has come.
func (r *rolling) block(now time.Time) { r.at, r.sinking = now, true }

// after is the rate at a time, with the pool as full as it is. Below half of the
// incremental fee it is nothing.
func (r rolling) after(now time.Time, usage, most int64) rolling {
	if !r.sinking || r.rate == 0 || now.Sub(r.at) <= rollingStep {
		return r
	}
	half := rollingHalflife
	switch {
	case usage < most/4:
		half /= 4
	case usage < most/2:
		half /= 2
	}
	r.rate /= math.Pow(2, float64(now.Sub(r.at))/float64(half))
	r.at = now
	if r.rate < incrementalFee/2 {
		r.rate = 0
	}
	return r
}

// least is the fee rate that the rolling minimum asks for.
func (r rolling) least() int64 {
	if r.rate == 0 {
		return 0
	}
	return max(int64(math.Ceil(r.rate)), incrementalFee)
}

// feeAt is the fee of a size at a rate, rounded up, as Core has it.
func feeAt(rate, size int64) int64 { return (rate*size + 999) / 1000 }

// checkFee says whether a transaction pays enough for the pool as it is.
func (p *Pool) checkFee(e *entry) *refusal {
	now := p.cfg.Now()
	p.locked(func() { p.fee = p.fee.after(now, p.index.total.usage, p.cfg.MaxBytes) })
	fee := e.modified()
	if least := feeAt(p.fee.least(), e.VSize); least > 0 && fee < least {
		return refuse(chain.TxPolicy, "mempool min fee not met", "%d < %d", fee, least)
	}
	if least := feeAt(p.cfg.MinRelayFee, e.VSize); fee < least {
		return refuse(chain.TxPolicy, "min relay fee not met", "%d < %d", fee, least)
	}
	return nil
}

// limit brings the pool back to its size and age.
func (p *Pool) limit() {
	oldest := p.cfg.Now().Add(-p.cfg.Expiry)
	var expired []chain.TxID
	for e := p.index.byAge.first(); len(expired) < maxExpired && e != nil && e.Added.Before(oldest); e = p.index.byAge.first() {
		expired = append(expired, p.takeFamily([]*entry{e})...)
	}
	p.removed(chain.RemovedExpired, expired...)

	var evicted []chain.TxID
	for p.index.total.usage > p.cfg.MaxBytes {
		e := p.index.byScore.first()
		rate := e.down.rate()*1000 + incrementalFee
		p.locked(func() { p.fee.rise(rate) })
		evicted = append(evicted, p.takeFamily([]*entry{e})...)
	}
	p.removed(chain.RemovedEvicted, evicted...)
}
