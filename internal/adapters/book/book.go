package book

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/addrmgr"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

// Book is the address book. Its methods may be called from several goroutines.
type Book struct {
	mgr         *addrmgr.AddrManager
	dir         string
	defaultPort uint16

	mu       sync.Mutex // a leaf: nothing is called while it is held
	attempts map[netip.AddrPort]int
}

// Open reads the book in dir and makes dir if it is missing. A file that cannot be read is
// moved aside, and the book begins with the copy that an earlier start made of it, or
// empty. The addresses can be learned again, so the node must start all the same. The
// warning, if not empty, says so in one line. err is set only if dir cannot be made.
func Open(dir string, defaultPort uint16) (b *Book, warning string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", fmt.Errorf("the address book's directory: %w", err)
	}
	mgr, warning := load(dir)
	return &Book{mgr: mgr, dir: dir, defaultPort: defaultPort, attempts: map[netip.AddrPort]int{}}, warning, nil
}

// noLookup keeps the manager from asking name servers. Its file has no names.
func noLookup(host string) ([]net.IP, error) {
	return nil, errors.New("not an address: " + host)
}

// Close writes the book to its file.
func (b *Book) Close() error { return b.close(closeWithin) }

// close waits for the manager to write its file, for at most bound.
//
// correctness: the goroutine that stops the node waits, holding nothing. When the
// disk does not answer the writer is left behind: the process is about to end.
func (b *Book) close(bound time.Duration) error {
	written := make(chan error, 1)
	// goroutines: one: the book is closed once.
	go func() { written <- b.mgr.Stop() }() // correctness: there is room.
	timeout := time.NewTimer(bound)
	defer timeout.Stop()
	select {
	case err := <-written:
		return err
	case <-timeout.C:
		return fmt.Errorf("the address book was not written to %s within %v: the disk does not answer", filepath.Join(b.dir, peersFile), bound)
	}
}

// Handle answers Pick, Sample and Note.
func (b *Book) Handle(_ context.Context, in actor.Input) any {
	switch q := in.Body.(type) {
	case server.Pick:
		return b.pick(q.Max)
	case server.Sample:
		return b.sample(q.Max)
	case server.Note:
		b.note(q)
		return server.Noted{Known: b.mgr.NumAddresses()}
	}
	panic(fmt.Sprintf("book: unknown question %T", in.Body))
}

// sample returns a random part of the book (addrmgr: 23 percent).
func (b *Book) sample(limit int) server.Sampled {
	addrs := b.mgr.AddressCache()
	// A copy, so that a peer that does not read keeps no more than it gets.
	return server.Sampled{Addrs: slices.Clone(addrs[:min(len(addrs), max(limit, 0))])}
}

// note writes into the book what the server has learned.
func (b *Book) note(n server.Note) {
	for _, l := range n.Learned {
		var addrs []*wire.NetAddressV2
		for _, a := range l.Addrs {
			if _, ok := dialable(a); ok {
				addrs = append(addrs, a)
			}
		}
		b.mgr.AddAddresses(addrs, netAddress(l.Source))
	}
	for _, a := range n.Attempted {
		if b.mayCount(a) {
			b.mgr.Attempt(netAddress(a))
		}
	}
	for _, a := range n.Connected {
		b.mgr.Connected(netAddress(a))
	}
	for _, g := range n.Good {
		na := netAddress(g.Addr)
		b.mgr.SetServices(na, g.Services)
		b.mgr.Good(na)
		b.mu.Lock()
		delete(b.attempts, g.Addr)
		b.mu.Unlock()
	}
}

// mayCount says whether an attempt may still be counted against an address.
func (b *Book) mayCount(addr netip.AddrPort) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.attempts) >= maxCounted {
		clear(b.attempts)
	}
	b.attempts[addr]++
	return b.attempts[addr] <= maxAttempts
}

// dialable returns the address of a peer that TCP can reach: IPv4 or IPv6 with a
// port, not a hidden service or another overlay network.
func dialable(na *wire.NetAddressV2) (netip.AddrPort, bool) {
	if na == nil || na.Addr == nil || na.Port == 0 || na.IsTorV3() {
		return netip.AddrPort{}, false
	}
	old := na.ToLegacy()
	if old == nil || addrmgr.IsOnionCatTor(old) {
		return netip.AddrPort{}, false
	}
	ip, ok := netip.AddrFromSlice(old.IP)
	return netip.AddrPortFrom(ip.Unmap(), na.Port), ok
}

// netAddress is an address in addrmgr's form, seen now.
func netAddress(a netip.AddrPort) *wire.NetAddressV2 {
	ip := a.Addr().Unmap()
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	return wire.NetAddressV2FromBytes(time.Now(), 0, ip.AsSlice(), a.Port())
}
