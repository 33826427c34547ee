// Package integration tests the node as its users meet it: as a process that
// talks to btcd and to scripted peers over loopback.
//
//   - sync_test.go: a chain with real spends goes from btcd to this node and on
//     to another btcd, with reorganisations in both directions
//   - mainnet_test.go: 14,131 real blocks, fully validated
//   - testnet3_test.go: 40,320 real headers with storms and time warps
//   - restart_test.go: the node is stopped or killed in mid-sync, and syncs on
//   - hostile_test.go, leak_test.go: slow readers, liars, silence, churn
//   - usage_test.go, stop_test.go, offline_test.go: user errors, signals, no
//     network
//   - rpc_test.go, watch_test.go: RPC, and the node's report on itself
//   - txs_test.go, pool_test.go: transactions between two btcds with this node between
//     them, and the pool by RPC
//   - bench_test.go, txbench_test.go: this node and btcd in the same run
//
// The kit is in the folders below. nodes starts real processes, harness adds what
// tests need, script has the peers, p2p their connections, chaingen their chains.
// cmd/stormlab uses all but harness.
//
// Flags: -long runs the larger variants. -keep keeps the directories of the
// processes. -node=btcd tests btcd instead. What holds for any node must hold for
// btcd too, so this tests the harness.
package integration
