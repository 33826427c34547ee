// Package harness starts real processes for tests: this node and btcd, each in
// its own directory, on loopback, on free ports.
//
// Nothing outlives a test. Each process is the leader of a process group that
// t.Cleanup kills; on Linux the kernel kills it when the test binary dies in any
// other way (a timeout, SIGKILL). Main kills what runs when the test binary is
// interrupted, and removes the directories; those of a test binary that could
// not do so are removed by the next.
//
// Waiting is done by Eventually: it polls with a deadline and says what it last
// saw when the deadline passes.
package harness
