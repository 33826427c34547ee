//go:build race

package sim_test

// slow is how many times fewer seeds are run: the race detector has nothing to
// find on one thread.
const slow = 20
