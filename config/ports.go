package config

import (
	"cmp"
	"net/netip"

	"acyclic/config/hostport"
)

// checkPorts looks for two services on one port of this machine.
func (c *Config) checkPorts(o *options) error {
	type service struct{ option, addr string }
	var all []service
	add := func(option string, asked, addrs []string) {
		for _, addr := range addrs {
			said := option + "=" + addr
			if len(asked) == 0 {
				said += " (the default)"
			}
			all = append(all, service{said, addr})
		}
	}
	add("--listen", o.Listen, c.Listen)
	add("--rpclisten", o.RPCListen, c.RPCListen)
	if c.ProfileAddr != "" {
		all = append(all, service{"--profile=" + o.Profile, c.ProfileAddr})
	}
	for i, b := range all {
		for _, a := range all[:i] {
			if overlap(listenIP(a.addr), listenIP(b.addr)) {
				return usage("%s and %s: the same port; want a port of its own for each", a.option, b.option)
			}
		}
	}
	return nil
}

// overlap says whether two addresses of this machine cannot both be listened on.
func overlap(a, b netip.AddrPort) bool {
	covers := func(all, one netip.Addr) bool {
		return all.IsUnspecified() && (all.Is6() || one.Is4())
	}
	x, y := a.Addr(), b.Addr()
	return a.Port() == b.Port() && (x == y || covers(x, y) || covers(y, x))
}

// listenIP is the IP address and port of a checked address to listen on. No host
// and :: mean all interfaces of both families.
func listenIP(s string) netip.AddrPort {
	a, _ := hostport.ParseListen(s, anyPort)
	if a.Host == "localhost" {
		a.Host = "127.0.0.1"
	}
	a.Host = cmp.Or(a.Host, "::")
	return a.Literal()
}
