// Package cell runs machines: it hands a batch of inputs to a machine, one at a
// time, and performs the effects of each step. It is what the two drivers have
// in common, so that what the simulator shows is true of the live node: both
// use these cells, these mailboxes and this bus, and differ only in when a cell
// runs and what the time is.
//
// Nothing here waits. Performing an effect puts something into a mailbox, behind a
// leaf mutex, or tells an adapter, which takes it without waiting. Publishing may
// hold the bus's mutex meanwhile, under which mailboxes are put into and nothing else
// is done.
package cell
