// Package mailbox holds what is on its way to one cell.
//
// A [Box] is plain data: lanes by urgency, the slots for the answers that the
// cell waits for, and the ledger of the questions that it owes an answer to.
// Nothing in it waits and nothing in it grows without bound: every lane's
// capacity is a sum of what its senders may have outstanding (law L4). A
// [Mailbox] is a Box behind one leaf mutex, with the sleep-and-wake protocol for
// the goroutine that empties it.
//
// # Lanes
//
//	control    start, stop, the ledger of peers, ends of children
//	answers    answers, in slots reserved when the question was asked
//	events     the latest of each State, the ring of each Stream
//	questions  what others ask; sized to the sum of their windows
//	inbound    peer traffic; sized by the credit of the connections
//
// [Box.Take] takes all of control and a share of every other lane, most urgent
// first: what is urgent passes at most one batch (law L8), and the lowest lane
// still gets its share of each.
//
// # The life of a slot
//
//	free ── Reserve ──► open ── Answer ──► answered ── Take ──► free
//	                     │
//	           its time is up: ErrTimeout is queued
//	                     ▼
//	                   late ── Take ──► zombie ── Answer: Freed is queued ──► freed ── Take ──► free
//	                     └─── Answer ──► settled ── Take ──► free
//
// A slot whose question has timed out is a zombie. The cell has had its
// ErrTimeout, and the target still owes the answer. The slot stays taken until the
// target has answered or died, because the target's inbox is sized to the sum of
// the windows, and a slot given out twice would overflow it (law L3). The late
// answer is counted and dropped. The cell is given Freed instead, so that a machine that
// found no slot needs no clock to try again.
package mailbox
