// Package waitgraph reads off the source of a whole program which goroutines may
// wait for which others. It finds the rings among them: deadlocks that can happen.
//
//	go run ./internal/proof/tidy/waitgraph/cmd [flags] packages
//
// It shows that law L1 holds through all calls, where package tidy looks at each
// package by itself. On a cell's goroutine the only waits are for locks that are
// leaves (TestL1NoWaitEdgesBetweenComponents). The same test holds adapters to a list of
// the locks that they hold over a wait. In btcd, unmodified, it finds the
// deadlock that this project is about. testdata/btcd.txt is what it prints.
//
// # How it is read
//
// A loop is what a goroutine runs, named after its first function. It waits in a
// send, a receive, a select without a default, in Lock, RLock, Once.Do,
// WaitGroup.Wait or Cond.Wait: in its first function or, by the call graph, in any
// that it may call. Loop A may wait for loop B if A waits at a place where B does
// what ends the wait: it receives what A sends, sends what A receives, says Done, or
// holds the lock.
//
//   - A place is, for a channel, the statement that makes it. The channel is followed
//     through fields, variables, arguments and results to the statements that use
//     it. For a lock, the place is its field or variable.
//   - The receive or select that begins each round of a loop is its inbox. There the
//     loop waits for any sender and holds up none. That is not counted. Nor is it
//     in the functions that Config.Rest names.
//   - Each arm of a select counts as if it were alone, for the others may never
//     come: an arm that ends the wait with the program does not help while the
//     program runs. That arm itself, on a channel that is only ever closed, is no
//     wait for the loop that closes it.
//   - A lock counts if a goroutine that holds it may wait for anything meanwhile, or
//     takes locks in a circle. Otherwise it is a leaf.
//   - Sending the answer to a question is no wait if the function that made the
//     answer's channel waits there for nothing else.
//   - Two loops that wait for each other at one place only are no ring: if one sends
//     and the other receives, both go on.
//
// # What it cannot see
//
// It says what may be, not what is.
//
//   - It knows no numbers: a channel may be full however much room it has, and a
//     semaphore may be taken.
//   - It knows no values: all goroutines that begin alike are one loop, and a field
//     is the same in all values of its type. So a loop is said to wait for itself
//     only if no other loop can end the wait. Two goroutines of one loop that wait
//     for each other are not seen.
//   - It knows no order: it does not see that one thing happens before another.
//
// It misses what it does not know of:
//
//   - Of the standard library it knows the types alone. It takes for called what the
//     library is given: functions, and the methods of the interface for which the
//     library asks. It does not take the methods that fmt and others find in a value
//     (String, Error). A list says what the library is given to run later.
//   - Graph.Below reports a call into the library that does more than calculate, as
//     "leaves for": a disk or a network is no loop. A call that reads or writes
//     (fmt.Fprintln, io.Copy, a Flush) only calculates if the stream is in memory or
//     of the program's own code, wherever it comes from. Below also reports
//     assembly, and calls whose target is not found.
//   - It loses a value that goes through an atomic.Value, a sync.Pool, a
//     container/list, reflection or anything else of the standard library. For a
//     method of one of the program's own interfaces it then takes every
//     implementation; for a channel, a lock or a function it takes none.
//   - It knows nothing that ends a wait for a timer or a context.
//   - A function may leave a lock locked, or unlock one, for its caller. Such a lock
//     is followed to the direct caller, no further. If the function unlocks it in
//     some cases, it is taken for unlocked.
//   - It does not look for lost wake-ups, for waits on a loop that has returned, or
//     for steps that never end: see the simulator and the watchdog.
package waitgraph
