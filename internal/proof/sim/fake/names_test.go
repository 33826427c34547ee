package fake

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
	"acyclic/server"
)

func TestBook(t *testing.T) {
	addrs := []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2")}
	r := steptest.New(t, NewBook(addrs, rand.New(rand.NewPCG(1, 1))), nil)
	if a := steptest.WantAnswer[server.Picked](r, r.Ask(server.Pick{Max: 1}), "one"); len(a.Addrs) != 1 || a.Known != 2 {
		t.Errorf("%+v", a)
	}
	if a := steptest.WantAnswer[server.Sampled](r, r.Ask(server.Sample{Max: 9}), "all"); len(a.Addrs) != 2 {
		t.Errorf("%+v", a)
	}
	told := []*wire.NetAddressV2{
		wire.NetAddressV2FromBytes(time.Time{}, 0, []byte{10, 0, 0, 2}, 2),
		wire.NetAddressV2FromBytes(time.Time{}, 0, []byte{10, 0, 0, 3}, 2),
	}
	for range 2 {
		a := steptest.WantAnswer[server.Noted](r, r.Ask(server.Note{Learned: []server.Learned{{Addrs: told}}}), "what was told")
		if a.Known != 3 {
			t.Errorf("the book has %d addresses, want those that it had and a new one", a.Known)
		}
	}
}

func TestResolver(t *testing.T) {
	host := func(addr string) map[string][]netip.Addr {
		return map[string][]netip.Addr{"moved.test": {netip.MustParseAddr(addr)}}
	}
	r := steptest.New(t, NewResolver(ResolverConfig{Hosts: host("10.0.0.3"), Former: host("10.0.0.4")}, rand.New(rand.NewPCG(1, 1))), nil)
	for name, want := range map[string]string{"moved.test": "10.0.0.3:8", "10.1.1.1": "10.1.1.1:8"} {
		a := steptest.WantAnswer[server.Resolved](r, r.Ask(server.Resolve{Host: name, Port: 8}), "an address")
		if len(a.Addrs) != 1 || a.Addrs[0].String() != want {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := steptest.WantAnswer[server.Resolved](r, r.Ask(server.Resolve{Host: "nowhere"}), "none"); a.Err == "" {
		t.Errorf("%+v", a)
	}
	r = steptest.New(t, NewResolver(ResolverConfig{
		Hosts: host("10.0.0.3"), Former: host("10.0.0.4"), Moved: r.Now.Add(time.Hour),
		HangChance: 1000, HangFor: time.Minute,
	}, rand.New(rand.NewPCG(1, 1))), nil)
	call := r.Ask(server.Resolve{Host: "moved.test", Port: 8})
	if due := r.M.Deadline(); !due.Equal(r.Now.Add(time.Minute)) {
		t.Errorf("an answer that hangs for a minute is due at %v, now is %v", due, r.Now)
	}
	r.Advance(time.Minute)
	if a := steptest.WantAnswer[server.Resolved](r, call, "the former address"); len(a.Addrs) != 1 || a.Addrs[0].String() != "10.0.0.4:8" {
		t.Errorf("%+v", a)
	}
}
