package config

import (
	"net/netip"

	"acyclic/config/hostport"
)

// checkPorts looks for two services on one port of this machine.
func (c *Config) checkPorts(o *options) error {
	type service struct{ option, addr string }
	var all []service
	add := func(option string, byDefault bool, addrs ...string) {
		for _, addr := range addrs {
			said := option + "=" + addr
			if byDefault {
				said += " (the default)"
			}
			all = append(all, service{said, addr})
		}
	}
	add("--listen", len(o.Listen) == 0, c.Listen...)
	add("--rpclisten", len(o.RPCListen) == 0, c.RPCListen...)
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

// listenIP is what an address to listen on means, which has been checked. No
// host and :: are all interfaces of both families.
func listenIP(s string) netip.AddrPort {
	a, _ := hostport.ParseListen(s, anyPort)
	switch a.Host {
	case "":
		a.Host = "::"
	case "localhost":
		a.Host = "127.0.0.1"
	}
	return a.Literal()
}
