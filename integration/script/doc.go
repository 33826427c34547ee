// Package script plays remote nodes that follow a script. They serve a chain
// from memory, honestly or in one of the ways in which real peers fail. A
// failure comes at a moment that the test names, so a run can be repeated.
//
// A Peer listens or dials. Each connection has two goroutines with a bounded
// queue between them: one reads and handles, one writes. If the queue is full,
// the socket is not read. Close ends all connections and waits for them.
package script
