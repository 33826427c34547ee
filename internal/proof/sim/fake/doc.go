// Package fake has the adapters of a simulated node: what is a socket, a database
// or a name server in the live node is a deterministic machine here, so that
// whole nodes run on one thread under a seed and a virtual clock.
//
//   - [Worker] and [Readers] play chain/engine on a [Store], a tree of headers
//     and a map of blocks. Blocks are valid unless their hash is in a set;
//     work counts by bits, nobody checks proof of work. Answers take a drawn
//     time. Worker and readers of one node share its Store: the one place where
//     two machines have something in common, as the real ones share btcd's
//     blockchain. Both run on the simulator's thread.
//   - [Net] is the network between the nodes of a world, [Adapter] a node's end of
//     it: it plays internal/adapters/transport with latency, bandwidth, socket buffers,
//     resets, stalls and partitions, all drawn from the seed.
//   - [Book] plays internal/adapters/book from fixed lists.
//   - [Mine] makes blocks.
//
// The machines are adapters: they may Deliver, and ask for Credit.
package fake
