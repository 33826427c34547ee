package server

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/addrmgr"
	"github.com/btcsuite/btcd/wire/v2"
)

func TestHosts(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"8.8.8.8", "8.8.8.8/32", "an IPv4 address is one host"},
		{"::ffff:8.8.8.8", "8.8.8.8/32", "in an IPv6 coat too"},
		{"2a01:4f8:1:2::1", "2a01:4f8:1:2::/64", "the net that one host gets"},
		{"2a01:4f8:1:2:ffff:ffff:ffff:ffff", "2a01:4f8:1:2::/64", "all of its addresses"},
		{"2a01:4f8:1:3::1", "2a01:4f8:1:3::/64", "the next one"},
		{"fe80::1%eth0", "fe80::/64", "a neighbour on a link"},
		{"64:ff9b::808:808", "8.8.8.8/32", "NAT64: all of IPv4 is in one /64"},
		{"::ffff:0:808:808", "8.8.8.8/32", "SIIT"},
		{"2002:808:808:7::1", "8.8.8.8/32", "6to4: one IPv4 address has 65,536 of them"},
		{"2001:0:102:304::f7f7:f7f7", "8.8.8.8/32", "Teredo: all clients of a server are in one /64"},
		{"::1", "::1/128", "loopback is exempt, and must not share what its neighbours have done"},
		{"127.0.0.1", "127.0.0.1/32", "loopback"},
	} {
		if got := hostOf(netip.MustParseAddr(c.in)).String(); got != c.want {
			t.Errorf("%s is of %s, want %s: %s", c.in, got, c.want, c.why)
		}
	}
}

// The groups are those of btcd's addrmgr, except that addresses outside the
// public network have none.
func TestGroupsAreThoseOfTheAddressManager(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(prefix string) netip.Addr {
		p := netip.MustParsePrefix(prefix)
		b := p.Addr().As16()
		first := p.Bits()
		if p.Addr().Is4() {
			first += 96
		}
		for bit := first; bit < 128; bit++ {
			b[bit/8] |= byte(rng.IntN(2)) << (7 - bit%8)
		}
		return netip.AddrFrom16(b).Unmap()
	}
	key := func(a netip.Addr) (string, bool) {
		na := wire.NetAddressV2FromBytes(time.Time{}, 0, a.AsSlice(), 1)
		return addrmgr.GroupKey(na), addrmgr.IsRoutable(na)
	}
	prefixes := []string{
		"0.0.0.0/0", "20.0.0.0/15", "2000::/3", "2001:470::/32", "2002:1414::/28", "2001::/32", "64:ff9b::/96",
		"2400::/30", "10.0.0.0/8", "127.0.0.0/8", "fe80::/64",
	}
	checked := 0
	for range 20_000 {
		p := prefixes[rng.IntN(len(prefixes))]
		a, b := random(p), random(p)
		ka, routableA := key(a)
		kb, routableB := key(b)
		if !routableA || !routableB || a.IsMulticast() || b.IsMulticast() {
			continue
		}
		checked++
		if same := groupOf(a) == groupOf(b); groupOf(a) == "" || same != (ka == kb) {
			t.Fatalf("%v and %v: groups %q and %q, addrmgr says %q and %q", a, b, groupOf(a), groupOf(b), ka, kb)
		}
	}
	if checked < 5000 {
		t.Fatalf("only %d pairs were compared", checked)
	}
	for _, s := range []string{"127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "fe80::1", "fc00::1", "0.0.0.0"} {
		if g := groupOf(netip.MustParseAddr(s)); g != "" {
			t.Errorf("%s has the group %s", s, g)
		}
	}
}

func TestBackoff(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n < 200; n++ {
		want := min(5*time.Second<<min(n-1, 20), 5*time.Minute)
		for range 20 {
			if d := backoff(rng, 5*time.Second, 5*time.Minute, n); d > want || d < want*3/4 {
				t.Fatalf("after %d failures %v, want up to %v", n, d, want)
			}
		}
	}
}
