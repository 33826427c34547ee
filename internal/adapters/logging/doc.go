// Package logging is the adapter that writes log lines to standard error and to a
// file, and shows the progress of the sync.
//
// Components do not log: a log record is an effect (actor.Record). [Logs.Record] puts
// records into a bounded queue and never waits. One goroutine writes them. If the disk
// or the terminal is too slow, records are dropped and their number is logged. So a
// slow log slows nothing down (law L1) and hides nothing (law L12).
//
// Adapters and main, which may wait, write through [Logs.Logger], and btcd's
// packages through [Logs.AdoptBTCD].
//
// Each subsystem has its level, see [Levels].
package logging
