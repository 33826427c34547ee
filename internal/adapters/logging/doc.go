// Package logging is the adapter that writes what the node has to say: log lines
// to standard error and to a file, and the progress of the sync.
//
// Components do not log, they record that they want to (actor.Record is an
// effect). [Logs.Record] puts such records into a bounded queue and never
// waits; one goroutine writes them. When the disk or the terminal is slower
// than the node talks, records are dropped, counted, and the count is written:
// a slow log slows nothing down (law L1) and hides nothing (law L12).
//
// Adapters and main, which may wait, write through [Logs.Logger], and btcd's
// packages through [Logs.AdoptBTCD].
//
// Each subsystem has its level, see [Levels]. Lines are made for
// people ([Text]) or for machines ([JSON], one object a line).
package logging
