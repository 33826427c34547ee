package book

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

// Resolver answers Resolve. The zero Resolver uses the system's name servers.
type Resolver struct {
	// Lookup finds the addresses of a host. Tests replace it.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Handle answers Resolve. Several goroutines may call it. The wiring bounds how
// many.
func (r Resolver) Handle(ctx context.Context, in actor.Input) any {
	q := in.Body.(server.Resolve)
	addrs, err := r.lookup(ctx, q.Host)
	if err != nil {
		return server.Resolved{Err: explain(q.Host, err)}
	}
	var got server.Resolved
	for _, a := range addrs {
		addr := netip.AddrPortFrom(a.Unmap(), q.Port)
		if a.IsValid() && !slices.Contains(got.Addrs, addr) && len(got.Addrs) < maxResolved {
			got.Addrs = append(got.Addrs, addr)
		}
	}
	if len(got.Addrs) == 0 {
		got.Err = q.Host + ": the name has no address"
	}
	return got
}

func (r Resolver) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []netip.Addr{addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ResolveTimeout)
	defer cancel()
	if r.Lookup != nil {
		return r.Lookup(ctx, host)
	}
	//correctness: waits for name servers, no longer than ResolveTimeout. It holds one of
	//the adapter's workers, which bound the look-ups.
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// explain says in one line why a name has no address.
func explain(host string, err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return host + ": no such host"
	case errors.As(err, &dns) && dns.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return host + ": no name server answered in time"
	case errors.Is(err, context.Canceled):
		return host + ": the node is stopping"
	case dns != nil:
		return fmt.Sprintf("%s: %s", host, oneLine(dns.Err))
	}
	return fmt.Sprintf("%s: %s", host, oneLine(err.Error()))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
