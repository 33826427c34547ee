//go:build race

package sim_test

// slow divides the number of seeds: the race detector has nothing to find on one thread.
const slow = 20
