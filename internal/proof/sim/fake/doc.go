// Package fake has the adapters of a simulated node. A socket, a database or a name
// server of the live node is a deterministic machine here. So whole nodes run on one
// thread under a seed and a virtual clock.
//
//   - [Worker] and [Readers] play chain/engine on a [Store], a tree of headers and a map
//     of blocks, with the coins that they leave and a pool of transactions. A block is
//     valid unless its hash is in a set. A transaction is judged by what it spends and
//     pays, and no script is run. Work counts by bits, and proof of work is not checked.
//     An answer takes a drawn time. Worker and readers of one node share its Store, as
//     the real ones share btcd's blockchain. No other two machines share anything but the
//     network. All run on the simulator's one thread.
//   - [Net] is the network between the nodes of a world, and [Adapter] a node's end of
//     it. They play internal/adapters/transport with latency, bandwidth, socket buffers,
//     resets, stalls and partitions, all drawn from the seed.
//   - [Book] plays the address book of internal/adapters/book, and [Resolver] its resolver.
//   - [Mine] makes blocks.
//
// An adapter delivers to its node's cells and asks for their credit ([Cells]).
package fake
