// Package integration tests the node as its users meet it: as a process that
// talks to btcd's and to scripted peers over loopback.
//
//   - sync_test.go: a chain with real spends goes from btcd to us and on to
//     another btcd; reorgs in both directions
//   - mainnet_test.go: 14,131 real blocks, fully validated
//   - testnet3_test.go: 40,320 real headers with storms and time warps
//   - restart_test.go: sync to a height, stop or be killed, start, sync on
//   - hostile_test.go: slow readers, liars, silence
//   - usage_test.go, stop_test.go, offline_test.go: errors of use, signals, no
//     network
//
// Flags: -long runs the larger variants, -keep keeps the processes' directories,
// -node=btcd puts btcd in our place: tests that say nothing of our own must hold
// for it as well, and so test the harness.
package integration
