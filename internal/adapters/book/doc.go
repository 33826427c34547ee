// Package book is the address book and the resolver, two adapters that only the
// server asks.
//
// The book is btcd's addrmgr, kept in peers.json in the data directory (btcd's
// own file can be used). It keeps only addresses of the public network: what is
// private, loopback or documentation is dropped on the way in. addrmgr locks,
// reads the clock and writes a file, so it lives behind a Handler; what it does
// while it holds its lock is bounded (see maxAttempts), and its file is
// written by a goroutine of its own every ten minutes and at Close. It writes in
// place, so that a full disk or a sudden end can cost the file: then the book
// goes on with peers.json.bak, a copy made at the last start (file.go). Close
// does not wait for a disk that does not answer.
package book
