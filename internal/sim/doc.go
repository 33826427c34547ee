// Package sim runs the cells of one or more nodes on one thread, under a seed
// and a virtual clock. The machines, the mailboxes, the bus and the performing
// of effects are the live node's own; only the edges are simulated, by machines.
//
// Time passes only when nothing can run. A cell that has something to take runs
// after a delay that is drawn from the seed: each cell has a speed between 10^3
// and 10^9 batches a second that is drawn anew now and then, so that one party
// is starved for long stretches; uniform delays find almost nothing. A batch is
// now one input, now as many as the live node takes.
//
// The same seed gives the same run: Hash sums up every input that was handled,
// with its time, its cell and its type.
package sim
