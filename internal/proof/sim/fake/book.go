package fake

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

// maxAddrs is how many addresses a Book learns.
const maxAddrs = 1000

// Book plays the address book. It answers at once, learns what it is told and forgets
// nothing.
type Book struct {
	addrs []netip.AddrPort
	rng   *rand.Rand
}

// NewBook returns a book of addresses.
func NewBook(addrs []netip.AddrPort, rng *rand.Rand) *Book {
	return &Book{addrs: slices.Clone(addrs), rng: rng}
}

// Step answers a question.
func (b *Book) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case actor.Start:
	case actor.Stop:
		out.Finish("stopped")
	case server.Pick:
		q.Call(in).Answer(out, server.Picked{Addrs: b.some(q.Max), Known: len(b.addrs)})
	case server.Sample:
		var a server.Sampled
		for _, addr := range b.some(q.Max) {
			a.Addrs = append(a.Addrs, wire.NetAddressV2FromBytes(now, wire.SFNodeNetwork|wire.SFNodeWitness, addr.Addr().AsSlice(), addr.Port()))
		}
		q.Call(in).Answer(out, a)
	case server.Note:
		for _, l := range q.Learned {
			for _, a := range l.Addrs {
				b.learn(a)
			}
		}
		q.Call(in).Answer(out, server.Noted{Known: len(b.addrs)})
	default:
		panic(fmt.Sprintf("fake: the book is given a %T", in.Body))
	}
}

// learn keeps an address that the internet protocol can reach.
func (b *Book) learn(a *wire.NetAddressV2) {
	old := a.ToLegacy()
	if old == nil {
		return
	}
	ip, ok := netip.AddrFromSlice(old.IP)
	addr := netip.AddrPortFrom(ip.Unmap(), old.Port)
	if ok && len(b.addrs) < maxAddrs && !slices.Contains(b.addrs, addr) {
		b.addrs = append(b.addrs, addr)
	}
}

// some draws at most max of the addresses.
func (b *Book) some(max int) []netip.AddrPort {
	var list []netip.AddrPort
	for _, i := range b.rng.Perm(len(b.addrs))[:min(max, len(b.addrs))] {
		list = append(list, b.addrs[i])
	}
	return list
}

// Deadline is never.
func (b *Book) Deadline() time.Time { return time.Time{} }

// Check has nothing to verify.
func (b *Book) Check() error { return nil }
