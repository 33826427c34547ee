package netsync

import "time"

// meterSeconds is the span of a meter.
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

// roll empties the buckets of the seconds since the newest one. It counts them
// by the difference of times, which a clock that is set does not change where
// times are monotonic; where they are not, and it is set back, all begins anew.
func (m *meter) roll(now time.Time) {
	sec := int64(now.Sub(m.start) / time.Second)
	switch {
	case now.Before(m.start) || sec < m.at:
		*m = meter{start: now}
		return
	case sec-m.at >= meterSeconds:
		m.buckets, m.at = [meterSeconds]uint32{}, sec
	}
	for m.at < sec {
		m.at++
		m.buckets[m.at%meterSeconds] = 0
	}
}

// rate is events a second over the last 30 s, or since the first event when
// that was less long ago.
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
// stand for more than rateMemory of such time.
type rate struct {
	bytes, blocks float64
	busy          float64 // seconds
}

const (
	// rateMemory is long enough to even out single blocks, and short enough
	// that a line which has become slow shows.
	rateMemory = 8 * time.Second
	// quickest is what a block is taken to cost at least: no line is faster,
	// and what divides by it stays finite.
	quickest = time.Microsecond
	// unmeasured is what a block of a peer without history is taken to cost.
	unmeasured = 250 * time.Millisecond
	// lookahead is how much work a peer should have in flight: enough that a
	// long round trip does not leave its line idle, little enough to move to
	// others when it stalls.
	lookahead = 2 * time.Second
)

// add notes a block that came after the peer had been busy for took.
func (r *rate) add(size int, took time.Duration) {
	r.bytes += float64(size)
	r.blocks++
	r.busy += max(took.Seconds(), 1e-6)
	if r.busy > rateMemory.Seconds() || r.blocks > 4096 {
		r.bytes, r.blocks, r.busy = r.bytes/2, r.blocks/2, r.busy/2
	}
}

// perBlock is the time that a block takes, at least quickest.
func (r *rate) perBlock() time.Duration {
	if r.blocks == 0 {
		return unmeasured
	}
	return max(time.Duration(r.busy/r.blocks*float64(time.Second)), quickest)
}

// bytesPerSecond is zero as long as nothing was measured.
func (r *rate) bytesPerSecond() float64 {
	if r.busy == 0 {
		return 0
	}
	return r.bytes / r.busy
}

// inFlight is how many blocks the peer delivers in the lookahead.
func (r *rate) inFlight() int {
	return int(min(float64(lookahead)/float64(max(r.perBlock(), 1)), 1<<20))
}
