// Package explore runs every interleaving of a small node: the production machines,
// mailboxes, bus and wiring. It drives them from one state to the next until no new
// state is left. It is the third driver of package cell, beside internal/kernel/live
// and internal/proof/sim, and performs the effects with the same code.
//
//	go test ./internal/proof/explore -v                              # some 30 s
//	go test ./internal/proof/explore -v -explore=long -timeout 2h   # larger ones; each says its time
//
// # States and moves
//
// A state is everything on which the future depends: the environment (an Env), the
// clock, the bus, and each cell with its machine, mailbox and flags. States are cloned
// and encoded by reflection (codec.go), so no component writes code for it. Immutable
// data (blocks, headers, messages of the wire) is shared. A state is kept as its parts.
// Each part is stored once for all states that have it, and named by 128 bits.
//
// A move is one of these:
//
//   - A cell takes its most urgent input and performs the effects.
//   - A cell is given its Tick and performs the effects.
//   - A cell dies in either step.
//   - An adapter answers a question.
//   - The clock jumps to a deadline of some cell.
//   - The node is told to stop.
//   - The environment does something.
//
// The scenarios with blocks begin after a run-up: the one way on which all remote peers
// connect and shake hands. What else may happen meanwhile is in the other scenarios.
// Remote peers have one to three blocks, branches, headers in two messages, and blocks
// that are bad, altered, lacking or withheld. They answer the requests that the node
// writes, in any order, or never. The engine may be slow or fail. Addresses are picked,
// dialled and banned. A jump of the clock in them is at least Leap long.
//
// The search is breadth first, so the trace to a violation is a shortest one.
//
// The environment is bounded: so many connections, messages, blocks, deaths and jumps
// of the clock. So the graph should be finite. A test fails if its search does not end
// within its bound of states. (Cells that ask each other for ever have no end, since
// tickets are not used twice.) The graph must also have no ring. A move that changes
// nothing is a violation, and so are moves that lead back to where they began
// (graph.go), and a search that finds no state at rest. So what is checked at rest
// always comes in the end, in whichever order a scheduler runs the cells.
//
// # What is checked
//
// In each state:
//
//   - the invariants of machines, mailboxes and bus, and that the kernel finds no bug
//     (a full lane, a second answer);
//   - law L2: each question ends once. A ledger of what machines want asked and what
//     they are given (asked.go) must agree with the tables of the mailboxes;
//   - law L7: the order of each peer's life, as each cell was given it;
//   - laws L4 and L5: the sums of seats and credit.
//
// In each state at rest, after a few more deadlines have come: nothing is queued,
// asked, owed or charged. The seat of each dead cell is free. Every subscriber has seen
// all that came and went. All components agree on the peers and on the tip. After Stop
// no cell lives.
//
// # Why it is sound
//
// The same name means the same future. The encoding leaves out only what no code reads
// to decide what to do: the figures of law L12 (counts, when an input was queued, how
// long a cell has been busy), and where in its memory a ring begins. It has lanes,
// slots, tickets, times and the state of each random source, exactly. Maps are in the
// order of their keys. A pointer that comes again is encoded as a number. A nil map or
// slice differs from an empty one. A pointer into the middle of something else would
// not be the same in a clone, and is refused (whole.go). Memory that two slices share is
// not covered: in a clone each has its own, without spare capacity. So a machine that
// writes through one slice and reads through the other behaves otherwise here than live.
// Two different states of a million have the same 128 bits with a probability of 10^-27.
// By law L10 a step depends on nothing else. With Twice each move is made twice, and
// every cell is encoded whether it was touched or not.
//
// A move does at once four things that are apart in the live node. The smaller scenarios
// take the first two apart (Hands, Fine). The other two are never apart:
//
//   - Taking an input and handling it. In between only the cell's mailbox can change.
//     The mailbox gives what is most urgent, so a live cell may handle an input of its
//     batch before a more urgent one that came later. Hands takes production batches in
//     one move and handles each input in a further one.
//   - The effects of one step. Other cells may run between two of them. One effect is
//     one call of a mailbox or of the bus, which is atomic under its mutex, even when a
//     ledger posts to all subscribers. Fine performs each effect in a separate move,
//     except in steps that pass on traffic, whose credit ends with the step. The coarse
//     moves leave out that a cell hears of a consequence of the first effect before it
//     hears of the second.
//   - An adapter's taking a question and answering it. A question in a worker's hand is
//     owed like a queued one, and times out like it.
//   - What the world outside does together, such as both messages of a handshake. A remote
//     peer that is not slow reads what is written to it, and its socket says so, in the
//     move in which it is written.
//
// A Tick is always a move apart. When it is due, it may come before or after whatever
// else the cell could take. In one of these orders it stands behind the answers, as in a
// batch. In another it was due when a batch was taken, and comes after more urgent
// inputs. With Whole the batch is as in the live node, Tick included.
//
// A deadline is only a time from which on a Tick or a timeout may be taken. The scheduler
// decides how late. A jump to the later of two deadlines is the same as a jump to the
// first, and then to the second before a cell has run. So all relations of speed are
// there, as far as the number of jumps goes. A Horizon leaves clocks of minutes out.
//
// Most scenarios have two or three of a node's components at a time. All four run with
// one peer, with two peers and a reorganisation, and in the long scenarios with a block. The clock jumps in the
// kernel's scenarios, in some of the node's, and in more of the long ones.
//
// Two things are assumed. The atomic acts are atomic: mailbox and live test their wake
// protocol themselves, with the race detector. And small configurations show what is
// true of large ones: two peers, one or two seats, windows of one or two. Every law is
// about one cell, one question, one connection, or two that contend for a slot or seat.
// What needs three at a time is left to internal/proof/sim.
//
// # Why cell.System itself, and not a model
//
// cell.System has closures, mutexes and atomics, which cannot be cloned. But it has
// little state. So one System is kept, and put into a state by loading the parts that
// differ (System.Load, Bus.Load, Mailbox.Load). The driver's calls say which cells a
// step has changed. So no second implementation of an effect has to be believed.
//
// # What it must find
//
// A check that cannot fail proves nothing. TestMutationsAreCaught breaks each law in the
// kernel or in a component. And the same search is given the loops and channels of btcd
// (blocking.go). It finds the deadlock of btcd's issue #2258, and the shorter one through
// IsCurrent, and prints the shortest trace to each.
package explore
