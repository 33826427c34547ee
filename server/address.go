package server

import (
	"net/netip"
	"strconv"
	"strings"
)

// target is what the user calls a peer: a host (a name or a literal address in
// its usual form) and a port.
type target struct {
	host string
	port uint16
}

func (t target) String() string {
	if strings.Contains(t.host, ":") {
		return "[" + t.host + "]:" + strconv.Itoa(int(t.port))
	}
	return t.host + ":" + strconv.Itoa(int(t.port))
}

// literal is the target's address when its host is one; otherwise invalid.
func (t target) literal() netip.AddrPort {
	addr, err := netip.ParseAddr(t.host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, t.port)
}

// parseTarget reads host, host:port, 1.2.3.4:port, ::1, [::1] or [::1]:port. The
// same peer written in two ways gives the same target.
func parseTarget(s string, defaultPort uint16) (target, bool) {
	host, port := s, ""
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return target{}, false
		}
		host = s[1:end]
		rest := s[end+1:]
		if rest != "" {
			if rest[0] != ':' || len(rest) == 1 {
				return target{}, false
			}
			port = rest[1:]
		}
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return target{}, false
		}
	case strings.Count(s, ":") == 1:
		host, port, _ = strings.Cut(s, ":")
		if port == "" {
			return target{}, false
		}
	}
	t := target{host: strings.ToLower(host), port: defaultPort}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return target{}, false
		}
		t.port = uint16(n)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		t.host = addr.Unmap().String()
		return t, addr.Zone() == "" || letters(addr.Zone())
	}
	return t, hostname(t.host)
}

// hostname says whether s can be a name in the DNS: at most 253 letters, digits,
// hyphens, underscores and dots, with no empty part. A name whose last part is a
// number would be a mistyped address.
func hostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(s, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || !letters(label) {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// letters says whether s has only letters, digits, hyphens and underscores.
func letters(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// plain brings an address into the form in which addresses are compared: an
// IPv4 address that came as IPv6 (::ffff:1.2.3.4) is IPv4.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// ValidAddr says whether s can be what a user calls a peer: a host with or
// without a port.
func ValidAddr(s string) bool {
	_, ok := parseTarget(s, 1)
	return ok
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
// full addresses, one host could take all slots and outlive every ban.
func hostOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	if v4 := tunnelled(addr); addr.Is6() && v4.IsValid() {
		addr = v4
	}
	bits := addr.BitLen()
	if addr.Is6() && !addr.IsLoopback() {
		bits = hostBits
	}
	host, _ := addr.Prefix(bits)
	return host
}
