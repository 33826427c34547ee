package server

import (
	"math/rand/v2"
	"time"
)

// backoff is how long to wait after n failures in a row, n from 1. It is base,
// doubled each time, and at most limit. A random part of less than a quarter is taken
// off, so that nodes that lost the same peer do not all come back at once.
func backoff(rng *rand.Rand, base, limit time.Duration, n int) time.Duration {
	const enough = 20 // doublings: a limit is not a million times its base
	d := min(base<<max(0, min(n-1, enough)), limit)
	return d - time.Duration(rng.Int64N(int64(d)/4))
}
