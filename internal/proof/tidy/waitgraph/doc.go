// Package waitgraph reads off the source of a whole program which goroutines may
// wait for which others, and finds rings of them: deadlocks that can happen.
//
//	go run ./internal/proof/tidy/waitgraph/cmd [flags] packages
//
// It is what shows that law L1 holds through all calls, where package tidy looks
// at each package by itself: on a cell's goroutine nothing waits but for locks
// that are leaves (TestL1NoWaitEdgesBetweenComponents). In btcd, unmodified, it
// finds the deadlock that this project is about; testdata/btcd.txt is what it
// prints.
//
// # How it is read
//
// A loop is what a goroutine runs, from the function that it starts with. It
// waits in a send, a receive, a select without a default, in Lock, RLock,
// Once.Do, WaitGroup.Wait, Cond.Wait: in its own function or, by the call graph,
// in any that it may call. Loop A may wait for loop B when A waits at a place at
// which B does what ends the wait: receives what A sends, sends what A receives,
// says Done, holds the lock.
//
//   - A place is, for a channel, the statement that makes it, followed through
//     fields, variables, arguments and results to the statements that use it; for
//     a lock, the field or variable that it is.
//   - The receive or select that begins each round of a loop is its inbox. There
//     it waits for anybody and holds up nobody: that is not counted, and neither
//     is the same in the functions that Config.Rest names.
//   - Each arm of a select counts as if it were alone, for the others may never
//     come: a way out at the end of the program does not help while it runs.
//     That way out itself, an arm on a channel that is only ever closed, is no
//     wait for whoever closes it.
//   - A lock counts when somebody who holds it may wait meanwhile, for whatever
//     it be, or takes locks in a circle. Otherwise it is a leaf.
//   - Sending the answer to a question is no wait when whoever made the answer's
//     channel waits there for nothing else.
//   - Two loops that wait for each other at one place only are no ring: if the
//     one sends and the other receives, both go on.
//
// # What it cannot see
//
// It says what may be, not what is. It knows no numbers: a channel may be full,
// however much room it has, and a semaphore may be taken. It knows no values: all
// goroutines that begin alike are one loop, and a field is the same in all values
// of its type; so what a loop waits for is said to be itself only when no other
// loop is left, and whether two goroutines of one loop wait for each other is not
// seen. It does not see that something happens before something else.
//
// It misses what it does not know of:
//
//   - The standard library is known by its types alone. What it calls of what it
//     is given is taken for called (functions, and the methods of the interface
//     that it asks for); the methods that fmt and others find in a value (String,
//     Error) are not. What it is given to run later is known from a list. Calls
//     into it that do more than calculate are told by Graph.Below, as "leaves
//     for": a disk or a network is no loop. What reads from or writes to
//     something (fmt.Fprintln, io.Copy, a Flush) calculates only if that is in
//     memory, or of the program's own code, wherever it may come from. So told is
//     also assembly, and what is called that nobody is seen to have put there.
//   - A value that goes through an atomic.Value, a sync.Pool, a container/list,
//     reflection or anything else of the standard library is lost. For a method of
//     one of the program's own interfaces all implementations are then taken; for
//     a channel, a lock or a function none.
//   - Nothing is known to end a wait for a timer or a context.
//   - A lock that a function leaves locked, or unlocks, for its caller is
//     followed to the direct caller, no further. One that is unlocked in some case
//     in such a function is taken for unlocked.
//   - A wait that does not end because a wake-up got lost, or because a loop has
//     returned, and steps that never end, are not its subject: see the simulator
//     and the watchdog.
package waitgraph
