// Package book has two adapters, the address book and the resolver. Only the
// server asks them. Its contract for both is server/ports.go.
//
// The book is btcd's addrmgr. It is kept in peers.json in the data directory, in
// btcd's own format. It keeps addresses of the public network only: private,
// loopback and documentation addresses are dropped on the way in.
//
// addrmgr locks, reads the clock and writes a file, so it lives behind a Handler.
// Its work under the lock is bounded (see maxAttempts). Its own goroutine
// writes the file every ten minutes and at Close. It overwrites the file, so a full disk
// or a sudden end can destroy it. The book then goes on with peers.json.bak, a copy made
// at the last start (file.go). Close gives up on a disk that does not answer.
package book
