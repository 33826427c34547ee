// Package engine validates headers and blocks in full. It is the only caller of
// btcd's blockchain, on a database that btcd itself could open. It is an adapter
// and has two handlers:
//
//   - [Engine.Worker] alone changes the chain, on one goroutine. It only notes
//     what btcd notifies meanwhile, and its answer brings the notes.
//   - [Engine.Reader] looks things up, on several goroutines. It never takes
//     btcd's chain lock, which ProcessBlock holds while it works (for minutes, if
//     it flushes). So a slow block delays no reader.
//
// Engine does what btcd's blockchain does not do:
//
//   - It knows the work and the height of any header, and where branches part
//     (tree.go).
//   - It knows the best valid header (valid.go). btcd's best header chain stays on
//     a branch with an invalid block, and btcd does not mark a header whose block
//     failed before it was stored.
//   - It keeps headers ahead of the blocks over a restart (headerfile.go).
//   - It tells a body that does not belong to its header from an invalid block,
//     whatever else is wrong with it (block.go).
//   - It refuses a block whose parent's data is missing, so btcd's pool of orphans
//     stays empty.
//   - It has a block downloaded again that was stored and not connected, because
//     the node ended in between (stranded.go).
//
// The pool of transactions (package pool) belongs to the worker too (txs.go). What a
// block does to it is told behind the block's event. Readers look at the pool's own
// index.
//
// The data directory holds blocks_ffldb, as btcd lays it out, headers.dat, and
// mempool.dat, which Close writes if it had been read.
package engine
