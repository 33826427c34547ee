// Package watch names what is stuck (law L12).
//
// A Watchdog looks at every mailbox and at what every cell and adapter is doing, a
// few times a second. It reads what is there anyway: when a cell took its batch, which
// input it is busy with, when the oldest input was queued, which slots are taken. So a
// message costs nothing more.
//
//	stall.go    what counts as stuck: Bounds
//	watch.go    the look, the log entry, and when it is over
//	profile.go  the goroutines of the cells: asleep, running, or waiting where
//	record.go   the goroutine profile and flight recording of a stall, on disk
//	report.go   the wait-for report, computed at any time
//	metrics.go  the figures of the mailboxes for Prometheus, read when scraped
//
// It is an adapter: it may wait for the disk, holding nothing. No cell waits for it.
package watch
