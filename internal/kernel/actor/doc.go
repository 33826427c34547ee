// Package actor is the vocabulary in which the components of the node are
// written. It has no machinery: no goroutine, no channel, no lock.
//
// A component is a [Machine]: it is given one [Input] and records effects in an
// [Outbox]. It cannot wait for another component, because it has nothing to
// wait with (law L1). Two drivers perform the effects: internal/kernel/live with a
// goroutine a cell and the wall clock, internal/proof/sim on one thread with a seed
// and a virtual clock.
//
// A machine can:
//
//   - ask a question through a typed [Port]. It ends in exactly one answer: a
//     value, ErrTimeout, ErrGone or ErrBusy (law L2). The answer brings the key
//     that says what it is about;
//   - answer a [Call] that it was asked, now or in a later step;
//   - publish to a topic (law L6): [State] (the latest per key), [Stream] (a bounded
//     ring that says Lagged), [Ledger] (lossless: reserved with the seat), [Traffic]
//     (lossless: each event rides on the credit of the socket read that caused it);
//   - tell an adapter something (write these bytes, dial that address);
//   - spawn a cell, order one to end, finish, log, halt the node.
//
// Everything that a machine keeps is plain data, so that the simulator can
// clone, encode and compare it.
package actor
