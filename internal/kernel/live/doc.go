// Package live runs the cells of a plan on goroutines and the wall clock.
//
// Each cell has one goroutine. It takes a batch from its mailbox, hands it to
// the machine, performs the effects, and sleeps when there is nothing: on its own
// empty inbox and its own deadline, and on nothing else. That sleep, the function
// nap, is the only blocking receive of the program; adapters and stops use it too.
//
// What may wait besides are the adapters: the workers of an adapter.Handler, the
// socket pumps, RPC handlers. They are bounded in number, hold nothing while
// they wait, and no cell waits for them.
package live
