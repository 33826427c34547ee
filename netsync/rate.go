package netsync

import "time"

// meterSeconds is how long a meter remembers.
const meterSeconds = 30

// meter counts events over the last 30 seconds in a ring of one-second buckets.
type meter struct {
	start   time.Time // of the first event; zero: none yet
	at      int64     // the second of the newest bucket, counted from start
	buckets [meterSeconds]uint32
}

func (m *meter) add(now time.Time, n int) {
	if n == 0 {
		return
	}
	if m.start.IsZero() {
		m.start = now
	}
	m.roll(now)
	m.buckets[m.at%meterSeconds] += uint32(n)
}

// roll empties the buckets of the seconds since the newest one. Where times are
// monotonic, setting the clock does not change how many these are. Where they are
// not, and the clock is set back, the meter begins again.
func (m *meter) roll(now time.Time) {
	sec := int64(now.Sub(m.start) / time.Second)
	if sec < m.at {
		*m = meter{start: now}
		return
	}
	for s := max(m.at, sec-meterSeconds) + 1; s <= sec; s++ {
		m.buckets[s%meterSeconds] = 0
	}
	m.at = sec
}

// rate is events a second over the last 30 s, or since the first event if that
// was later.
func (m *meter) rate(now time.Time) float64 {
	if m.start.IsZero() {
		return 0
	}
	m.roll(now)
	var sum uint64
	for _, n := range m.buckets {
		sum += uint64(n)
	}
	return float64(sum) / float64(min(m.at+1, meterSeconds))
}

// rate measures how fast a peer delivers, over the time in which it had
// something to deliver. Old measurements fade: the sums are halved once they
// stand for more than rateMemory of such time, or for more than rateBlocks.
type rate struct {
	blocks float64
	busy   float64 // seconds
}

const (
	// rateMemory is long enough to even out single blocks, and short enough to
	// show that a line has become slow.
	rateMemory = 8 * time.Second
	// rateBlocks bounds what a peer that was very quick has to its credit.
	rateBlocks = 4096
	// quickest is what a block costs at least. No line is faster, and what is
	// divided by it stays finite.
	quickest = time.Microsecond
	// unmeasured is the assumed cost of a block of a peer without history.
	unmeasured = 250 * time.Millisecond
	// lookahead is how much work a peer should have in flight: enough that a
	// long round trip does not leave its line idle, little enough to move to
	// others when it stalls.
	lookahead = 2 * time.Second
)

// add notes a block that came after the peer had been busy for took.
func (r *rate) add(took time.Duration) {
	r.blocks++
	r.busy += max(took.Seconds(), 0) // the clock may be set back
	if r.busy > rateMemory.Seconds() || r.blocks > rateBlocks {
		r.blocks, r.busy = r.blocks/2, r.busy/2
	}
}

// perBlock is the time that a block takes, at least quickest.
func (r *rate) perBlock() time.Duration {
	if r.blocks == 0 {
		return unmeasured
	}
	return max(time.Duration(r.busy/r.blocks*float64(time.Second)), quickest)
}

// inFlight is how many blocks the peer delivers in the lookahead.
func (r *rate) inFlight() int { return int(lookahead / r.perBlock()) }
