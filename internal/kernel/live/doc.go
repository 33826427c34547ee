// Package live runs the cells of a plan on goroutines and the wall clock.
//
// Each cell has one goroutine. It takes a batch from its mailbox, hands it to the
// machine and performs the effects. When there is nothing to take, it sleeps on its
// empty inbox and its deadline, and on nothing else. That sleep is the function
// nap. Askers, subscribers and stops use it too.
//
// Besides cells there are adapters, which may wait: the workers of an
// adapter.Handler, the socket pumps, RPC handlers. They are bounded in number and
// hold nothing while they wait. No cell waits for them.
package live
