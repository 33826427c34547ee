package server

import (
	"net/netip"
)

// plain brings an address into the form in which addresses are compared: an
// IPv4 address that came as IPv6 (::ffff:1.2.3.4) is IPv4.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

var (
	hurricane = netip.MustParsePrefix("2001:470::/32")
	sixToFour = netip.MustParsePrefix("2002::/16")       // RFC 3964
	teredo    = netip.MustParsePrefix("2001::/32")       // RFC 4380
	nat64     = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	siit      = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 6145
)

// groupOf names the network group of an address, of which at most one is dialled
// automatically: what one operator can easily own. As in btcd and Bitcoin Core it
// is the /16 of an IPv4 address (also of one that is tunnelled in IPv6) and the
// /32 of an IPv6 address (/36 of Hurricane Electric's, which gives away /48s).
// Addresses that do not belong to the public network have no group: "".
func groupOf(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return ""
	}
	if addr.Is4() {
		return prefix(addr, 16)
	}
	if v4 := tunnelled(addr); v4.IsValid() {
		return prefix(v4, 16)
	}
	if hurricane.Contains(addr) {
		return prefix(addr, 36)
	}
	return prefix(addr, 32)
}

func prefix(addr netip.Addr, bits int) string {
	p, _ := addr.Prefix(bits)
	return p.Addr().String()
}

// tunnelled is the IPv4 address of the host behind an IPv6 address; zero when
// there is none.
func tunnelled(addr netip.Addr) netip.Addr {
	b := addr.As16()
	switch {
	case nat64.Contains(addr), siit.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case teredo.Contains(addr):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	return netip.Addr{}
}

// hostBits is how much of an IPv6 address says which net a host is in: a /64 is
// the smallest that is given away, with all of its 2^64 addresses.
const hostBits = 64

// hostOf is what one host has: an IPv4 address (also one that is tunnelled in
// IPv6), or the /64 of an IPv6 address. What is bounded or banned is a host: by
// full addresses, one host could take all seats and outlive every ban.
func hostOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	if v4 := tunnelled(addr); v4.IsValid() {
		addr = v4
	}
	bits := addr.BitLen()
	if addr.Is6() && !addr.IsLoopback() {
		bits = hostBits
	}
	host, _ := addr.Prefix(bits)
	return host
}
