package server

import (
	"math/rand/v2"
	"time"
)

// backoff is how long to wait after n failures in a row, n from 1. It is base,
// doubled each time, and at most limit. A random part of up to a quarter is taken
// off, so that nodes that lost the same peer do not all come back at once.
func backoff(rng *rand.Rand, base, limit time.Duration, n int) time.Duration {
	d := base
	for i := 1; i < n && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(rng.Int64N(int64(d)/4+1))
}
