//go:build race

package explore

// slow says that only what is small is explored: the race detector has nothing
// to find on one thread. What it finds is a misuse of unsafe.
const slow = true
