package fake

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

// Book plays the address book and the resolver from fixed lists. It answers at
// once and learns nothing.
type Book struct {
	// Addrs are the known addresses. Hosts are the names that resolve.
	Addrs []netip.AddrPort
	Hosts map[string][]netip.Addr

	rng *rand.Rand
}

// NewBook returns a book of addresses.
func NewBook(addrs []netip.AddrPort, rng *rand.Rand) *Book { return &Book{Addrs: addrs, rng: rng} }

// Step answers a question.
func (b *Book) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case actor.Start:
	case actor.Stop:
		out.Finish("stopped")
	case server.Pick:
		q.Call(in).Answer(out, server.Picked{Addrs: b.some(q.Max), Known: len(b.Addrs)})
	case server.Sample:
		var a server.Sampled
		for _, addr := range b.some(q.Max) {
			a.Addrs = append(a.Addrs, wire.NetAddressV2FromBytes(now, wire.SFNodeNetwork|wire.SFNodeWitness, addr.Addr().AsSlice(), addr.Port()))
		}
		q.Call(in).Answer(out, a)
	case server.Note:
		q.Call(in).Answer(out, server.Noted{Known: len(b.Addrs)})
	case server.Resolve:
		q.Call(in).Answer(out, b.resolve(q))
	default:
		panic(fmt.Sprintf("fake: the book is given a %T", in.Body))
	}
}

// some draws at most max of the addresses.
func (b *Book) some(max int) []netip.AddrPort {
	var list []netip.AddrPort
	for _, i := range b.rng.Perm(len(b.Addrs))[:min(max, len(b.Addrs))] {
		list = append(list, b.Addrs[i])
	}
	return list
}

func (b *Book) resolve(q server.Resolve) server.Resolved {
	addrs := b.Hosts[q.Host]
	if ip, err := netip.ParseAddr(q.Host); err == nil {
		addrs = []netip.Addr{ip}
	}
	var a server.Resolved
	if len(addrs) == 0 {
		a.Err = "no such host"
	}
	for _, ip := range addrs {
		a.Addrs = append(a.Addrs, netip.AddrPortFrom(ip, q.Port))
	}
	return a
}

// Deadline is never.
func (b *Book) Deadline() time.Time { return time.Time{} }

// Check has nothing to verify.
func (b *Book) Check() error { return nil }
