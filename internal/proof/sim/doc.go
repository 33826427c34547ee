// Package sim runs the cells of one or more nodes on one thread, under a seed and a
// virtual clock. The machines, the mailboxes, the bus and the performing of effects are
// the live node's. Only the adapters are simulated, by machines.
//
// Time passes only when nothing can run. A cell that has something to take runs after a
// delay drawn from the seed. Each cell has a speed between 10^3 and 10^9 batches a
// second, which changes now and then. So one cell is starved for long stretches. Uniform
// delays find almost nothing. A batch is either one input, or as many as the live node
// takes.
//
// The same seed gives the same run. Hash sums up every batch and every input, with its
// time, its node, its cell, its type and its sender.
//
// The tests run whole nodes as internal/node wires them, on the adapters of
// internal/proof/sim/fake: rough networks, components that die, hostile strangers,
// engines that fail, stops at any moment, tiny bounds, jumping clocks, names and DNS seeds
// that lead nowhere, bans that end, blocks from the future, cells that do not answer, blocks far
// out of order, clients of another age, transactions offered beside blocks and forks. Meanwhile the books of all cells are compared, and a cell
// that asks again without a pause is found (heat.go). Each world ends in
// calm, and then everything must be in order. The nodes agree. A new block reaches all of
// them. No question is open, given up or owed. All seats and all credit are free. All
// cells stop in time. TestChecksCatchMutations runs nodes that are each broken in one
// point, which these checks must find.
//
//	go test ./internal/proof/sim -seeds=500                    more worlds of each kind
//	go test ./internal/proof/sim -run TestStrangers -seed=17   one world again
//	... -v -show                                               with every input
package sim
