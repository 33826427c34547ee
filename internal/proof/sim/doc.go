// Package sim runs the cells of one or more nodes on one thread, under a seed
// and a virtual clock. The machines, the mailboxes, the bus and the performing
// of effects are the live node's own; only the adapters are simulated, by machines.
//
// Time passes only when nothing can run. A cell that has something to take runs
// after a delay that is drawn from the seed: each cell has a speed between 10^3
// and 10^9 batches a second that is drawn anew now and then, so that one party
// is starved for long stretches; uniform delays find almost nothing. A batch is
// now one input, now as many as the live node takes.
//
// The same seed gives the same run: Hash sums up every turn and every input that
// was handled, with its time, its node, its cell, its type and its sender.
//
// The tests beside this package run whole nodes as internal/node wires them, on
// the adapters of internal/proof/sim/fake: rough networks, components that die, hostile
// strangers, engines that fail, stops at any moment, tiny bounds, jumping
// clocks. Each world ends in calm, and then everything must be in order: the
// nodes agree, a new block reaches all of them, no question is open, given up or
// owed, all places and all credit are free again, all cells stop in time.
// TestChecksCatchMutations runs nodes that are broken in one point each, which
// these checks must find.
//
//	go test ./internal/proof/sim -seeds=500                    more worlds of each kind
//	go test ./internal/proof/sim -run TestStrangers -seed=17   one world again
//	... -v -show                                         with every input that was handled
package sim
