// Package explore runs every interleaving of a small node: the production
// machines, mailboxes, bus and wiring, driven from one state to the next until
// no state is left that was not seen. It is the third driver of package cell,
// beside internal/kernel/live and internal/proof/sim, and performs the effects with the same
// code.
//
//	go test ./internal/proof/explore -v                              # some 25 s
//	go test ./internal/proof/explore -v -explore=long -timeout 30m   # three minutes more
//
// # States and moves
//
// A state is everything on which the future depends: the environment (an Env:
// plain data like a machine), the clock, the bus, and each cell with its machine,
// mailbox and flags. States are cloned and encoded by reflection (codec.go), so
// that no component writes code for it; what is immutable (blocks, headers,
// messages of the wire) is shared. A state is kept as its parts, each stored once
// for all states that have it, and known by a hash of 128 bits.
//
// A move is one of: a cell takes its most urgent input and performs the effects;
// it is given its Tick, and does the same; it dies in either step; an adapter answers
// a question; the clock jumps to any deadline that some cell has; the node is told
// to stop; or the environment does something. The search is breadth first, so that
// the trace to a violation is a shortest one.
//
// The environment is bounded: so many connections, messages, blocks, deaths, jumps
// of the clock. So the graph should be finite, and it is: a test fails whose search
// does not come to its end within its bound of states. (Cells that ask each other
// for ever have no end, since tickets are not used twice.) And it has no ring: a
// move that changes nothing, and any number of moves that lead back to where they
// began, are reported (graph.go), and so is a search in which nothing ever comes to
// rest. What holds where nothing can happen any more is therefore what always comes
// in the end, in whichever order a scheduler, fair or not, runs the cells.
//
// # What is checked
//
// In each state: the invariants of machines, mailboxes and bus; nothing that the
// kernel calls a bug (a full lane, a second answer); law L2, each question ends
// once, by a ledger that is kept from what machines want asked and what they are
// given (asked.go), with which the tables of the mailboxes must agree; law L7, the
// order of each peer's life as each cell was given it; laws L4 and L5, the sums of
// places and credit.
// In each state in which no cell has anything to do, after a few more deadlines
// have come: nothing is queued, asked, owed or charged, each dead cell's place is
// free, everybody has seen whoever came and went, all components agree on the
// peers and on the tip, and after Stop nobody lives.
//
// # Why it is sound
//
// Same hash, same future. The encoding leaves out only what no code reads to
// decide what to do: the figures of law L12 (counts, when an input was queued, how
// long a cell has been busy), and where in its memory a ring begins. Lanes,
// places, tickets, times and the state of each random source are in it, exactly;
// maps in the order of their keys, pointers by which of the earlier ones they are
// equal to, a nil map or slice otherwise than an empty one. A pointer that leads
// into the middle of something else would not be the same in a clone, and is
// refused (whole.go). Not covered is memory that two slices share: in a clone each
// has its own, without spare capacity, so a machine that writes through one slice
// and reads through the other would behave otherwise here than live. Two different
// states of a million have the same 128 bits with a probability of 10^-27. That a
// step depends on nothing else is law L10; with Twice each move is made twice, and
// every cell is encoded whether it was touched or not.
//
// What is fused. In the live node four things are apart that a move does at once.
// The first two of them can be explored apart (Hands, Fine), which the smaller
// scenarios do; the other two never are:
//
//   - Taking an input and handling it. In between only the cell's mailbox can
//     change. Since the mailbox gives what is most urgent, a live cell may handle
//     an input of its batch before a more urgent one that came later: Hands takes
//     production batches in one move and handles each input in a further one.
//   - The effects of one step. Others may run between two of them. One effect is
//     one call of a mailbox or of the bus, each atomic under its mutex (a ledger's
//     post to all subscribers included): Fine performs each in a move of its own,
//     those steps excepted that pass on traffic, whose credit ends with the step.
//     What the coarse moves leave out is that a cell hears of a consequence of a
//     first effect before it hears of the second.
//   - An adapter's taking a question and answering it. A question in a worker's hand
//     is owed like a queued one, and times out like it.
//   - What the world outside does together, such as both messages of a handshake.
//
// A Tick is fused with nothing: whenever it is due it may come before or after
// whatever else the cell could take. Among these orders are those of a batch, in
// which it stands behind the answers, and a Tick that was due when a batch was
// taken and comes when more urgent things have been queued. With Whole the batch
// is as in the live node, Tick included.
//
// Which time it is. A deadline is only a time from which on a Tick or a timeout
// may be taken; how late is up to the scheduler. A jump to the later of two
// deadlines is the same as to the first, and then to the second before anybody
// has run. So all relations of speed are there, as far as the number of jumps
// goes; a Horizon leaves clocks of minutes out.
//
// What a node is explored with: two or three of its components at a time in most
// scenarios, all four with one peer, and in the long ones with two peers or a
// block. The clock jumps in those of the kernel, and in one of the node; the long
// ones have more.
//
// What is assumed: that the atomic acts are atomic (the wake protocol of mailbox
// and live is tested there, and with the race detector), and that what small
// configurations show is true of large ones: two peers, one or two places,
// windows of one or two. Every law is about one cell, one question, one
// connection or two that contend for a place; what needs three at a time is left
// to internal/proof/sim.
//
// # Why cell.System itself, and not a model
//
// cell.System has closures, mutexes and atomics, which cannot be cloned. But it
// has few states of its own: so one System is kept, and put into a state by
// loading the parts that differ (System.Load, Bus.Load, Mailbox.Load). Each cell
// that another's step changes is noticed by the calls that the driver gets
// anyway. So there is no second implementation of an effect that would have to be
// believed.
//
// # What it can fail to find
//
// A check that cannot fail proves nothing. TestMutationsAreCaught breaks each law
// in the kernel or in a component. And the same search is given the loops and
// channels of btcd (blocking.go): it finds the deadlock of its issue #2258, and
// the shorter one through IsCurrent, and prints the shortest trace to each.
package explore
