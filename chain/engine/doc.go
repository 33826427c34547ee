// Package engine is the only caller of btcd's blockchain: full validation of
// headers and blocks, on a database in the data directory that btcd itself
// could open. It is an adapter. The chain component asks two handlers:
//
//   - [Engine.Worker], one goroutine, alone changes the chain. What btcd
//     notifies while it works is only noted, and goes out with the answer.
//   - [Engine.Reader], several goroutines, looks things up. None of its answers
//     takes btcd's chain lock, which ProcessBlock holds while it works (for
//     minutes, if it flushes): a slow block delays no reader.
//
// What btcd's blockchain does not do, and engine does beside it:
//
//   - the work and height of any header, and where branches part (tree.go);
//   - the best *valid* header: btcd's best header chain stays on a branch whose
//     block has turned out to be invalid, and a header whose block failed before
//     it was stored is not marked at all (valid.go);
//   - headers ahead of the blocks survive a restart (headerfile.go);
//   - a body that does not belong to its header is told from an invalid block,
//     whatever else is wrong with it (block.go);
//   - blocks come after their parents' data, or are refused: btcd's pool of
//     orphans stays empty;
//   - a block that was stored and not connected, because the node ended in
//     between, is downloaded again (stranded.go).
//
// Files in the data directory: blocks_ffldb, as btcd lays it out, and
// headers.dat.
package engine
