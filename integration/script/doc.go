// Package script plays remote nodes that do as they are told: they serve a chain
// from memory, honestly or in one of the ways in which real peers fail. All that
// goes wrong goes wrong at a point that the test names, so a run can be repeated.
//
// A Peer listens or dials. Each connection has two goroutines: one reads and
// handles, one writes; between them is a bounded queue, and when it is full the
// socket is not read. Close ends all of them and waits for them.
package script
