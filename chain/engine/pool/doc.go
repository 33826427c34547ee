// Package pool keeps the transactions that wait for a block. It is a part of the
// engine and belongs to its worker, which alone changes it. Readers look at an index
// under a mutex that is held for a few entries at a time, and never wait for an
// acceptance.
//
// A transaction is judged in this order (accept.go): alone, its inputs, its witness
// data, its fee, its relatives in the pool, whom it would replace, and by btcd's
// mempool at last, which runs the scripts. btcd's pool is a judge here and keeps
// nothing: it is given the outputs of ours, and is empty between two calls. So a
// transaction is in memory once, any transaction can be replaced by one that pays
// more (full RBF), and a refused replacement leaves the pool as it was. Signatures
// are remembered in the cache that btcd's chain looks at when the block comes.
//
// The rest is the pool's own, after Bitcoin Core 28: the fees (fees.go), the
// replacements and the limits on chains (replace.go), the orphans (orphans.go), what
// blocks change (blocks.go), the choice for a new block (template.go), and
// mempool.dat (save.go, load.go). The verdicts have Core's names: rules.go says what
// btcd's errors mean.
//
// What happens is told as plain data (TakeEvents). The engine puts it behind the
// event of the block that caused it.
//
// Invariants, which check_test.go compares with a pool that knows nothing by heart:
//
//   - A parent comes before its child in index.order.
//   - Sums over relatives are those of the relatives.
//   - No two transactions spend the same output.
//   - The pool takes at most MaxBytes when a call returns.
package pool
