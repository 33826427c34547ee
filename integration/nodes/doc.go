// Package nodes builds, starts and asks real nodes: this one and btcd, each as a
// process in its own directory, on loopback, on free ports. The tests of
// integration and cmd/stormlab both stand on it. It knows nothing of testing;
// package harness adds that.
//
// No process outlives the program that started it. Each is the leader of a
// process group, and KillAll kills all groups. On Linux the kernel kills the
// process if the program dies in any other way.
package nodes
