// Package hostport reads what users call a host and a port. It is pure: it asks
// no name server, so components may use it as the configuration does.
package hostport

import (
	"net/netip"
	"strconv"
	"strings"
)

// Addr is a host and a port. The host is a name, or a literal address in its
// usual form. It is empty only in an address to listen on: all interfaces.
type Addr struct {
	Host string
	Port uint16
}

// String writes the address as Parse reads it.
func (a Addr) String() string {
	port := strconv.Itoa(int(a.Port))
	if strings.Contains(a.Host, ":") {
		return "[" + a.Host + "]:" + port
	}
	return a.Host + ":" + port
}

// Literal is the address when its host is a literal one. Otherwise it is invalid.
func (a Addr) Literal() netip.AddrPort {
	ip, err := netip.ParseAddr(a.Host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, a.Port)
}

// Parse reads host, host:port, 1.2.3.4:port, ::1, [::1] or [::1]:port. An address
// without a port gets the default one. The same address written in two ways gives
// the same Addr.
func Parse(s string, defaultPort uint16) (Addr, bool) {
	host, port, ok := split(s)
	if !ok {
		return Addr{}, false
	}
	a := Addr{Host: strings.ToLower(host), Port: defaultPort}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Addr{}, false
		}
		a.Port = uint16(n)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		a.Host = ip.Unmap().String()
		return a, ip.Zone() == "" || letters(ip.Zone())
	}
	return a, hostname(a.Host)
}

// ParseListen reads an address of this machine to listen on: an IP address or
// localhost with or without a port, or a port alone for all interfaces.
func ParseListen(s string, defaultPort uint16) (Addr, bool) {
	if port, ok := strings.CutPrefix(s, ":"); ok && !strings.Contains(port, ":") {
		a, ok := Parse("0.0.0.0"+s, defaultPort)
		return Addr{Port: a.Port}, ok
	}
	a, ok := Parse(s, defaultPort)
	return a, ok && (a.Host == "localhost" || a.Literal().IsValid())
}

// split cuts the port off. It is empty where there is none.
func split(s string) (host, port string, ok bool) {
	switch {
	case strings.HasPrefix(s, "["):
		host, rest, ok := strings.Cut(s[1:], "]")
		ip, err := netip.ParseAddr(host)
		if !ok || err != nil || !ip.Is6() {
			return "", "", false
		}
		if rest == "" {
			return host, "", true
		}
		port, ok := strings.CutPrefix(rest, ":")
		return host, port, ok && port != ""
	case strings.Count(s, ":") == 1:
		host, port, _ = strings.Cut(s, ":")
		return host, port, port != ""
	}
	return s, "", true
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
