package book

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
	"acyclic/server"
)

func resolve(r Resolver, host string) server.Resolved {
	return r.Handle(context.Background(), actor.Input{Body: server.Resolve{Host: host, Port: 8333}}).(server.Resolved)
}

func TestLiteralsResolveToThemselves(t *testing.T) {
	r := Resolver{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		t.Error("a literal address was looked up")
		return nil, errors.New("no")
	}}
	for host, want := range map[string]string{
		"1.2.3.4":          "1.2.3.4:8333",
		"::1":              "[::1]:8333",
		"[::1]":            "[::1]:8333",
		"::ffff:1.2.3.4":   "1.2.3.4:8333",
		"2001:db8::1":      "[2001:db8::1]:8333",
		"[2001:db8::0001]": "[2001:db8::1]:8333",
	} {
		got := resolve(r, host)
		if got.Err != "" || len(got.Addrs) != 1 || got.Addrs[0].String() != want {
			t.Errorf("%s is %+v, want %s", host, got, want)
		}
	}
}

func TestNamesAreLookedUp(t *testing.T) {
	addr := netip.MustParseAddr
	many := make([]netip.Addr, 1000)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{1, 1, byte(i >> 8), byte(i)})
	}
	for _, c := range []struct {
		why   string
		addrs []netip.Addr
		err   error
		want  []string
		says  string
	}{
		{
			"an address given twice is one",
			[]netip.Addr{addr("1.1.1.1"), addr("::ffff:1.1.1.1"), addr("::2")},
			nil,
			[]string{"1.1.1.1:8333", "[::2]:8333"}, "",
		},
		{"no address", nil, nil, nil, "a.example: the name has no address"},
		{
			"no such host", nil,
			&net.DNSError{Err: "no such host", Name: "a.example", Server: "127.0.0.53:53", IsNotFound: true},
			nil, "a.example: no such host",
		},
		{
			"no name server", nil,
			&net.DNSError{Err: "dial udp: connect:\nnetwork is unreachable", Name: "a.example"},
			nil, "a.example: dial udp: connect: network is unreachable",
		},
		{
			"a name server that is silent", nil,
			&net.DNSError{Err: "read udp: i/o timeout", Name: "a.example", IsTimeout: true},
			nil, "a.example: no name server answered in time",
		},
		{"an answer with no address in it", []netip.Addr{{}}, nil, nil, "a.example: the name has no address"},
		{"another error", nil, errors.New("odd\nthing"), nil, "a.example: odd thing"},
	} {
		got := resolve(Resolver{Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			return c.addrs, c.err
		}}, "a.example")
		var list []string
		for _, a := range got.Addrs {
			list = append(list, a.String())
		}
		if !slices.Equal(list, c.want) || got.Err != c.says {
			t.Errorf("%s: got %v %q, want %v %q", c.why, list, got.Err, c.want, c.says)
		}
	}
	got := resolve(Resolver{Lookup: func(context.Context, string) ([]netip.Addr, error) { return many, nil }}, "a.example")
	if len(got.Addrs) != maxResolved {
		t.Errorf("%d addresses of one name were passed on", len(got.Addrs))
	}
}

func TestALookupEndsInTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		start := time.Now()
		got := resolve(Resolver{Lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, "a.example")
		if took := time.Since(start); took != ResolveTimeout || !strings.Contains(got.Err, "in time") {
			t.Fatalf("after %v: %+v", took, got)
		}
	})
}

// L8: a stop ends a look-up, and the answer says that it was no fault of the name.
func TestL8AStopEndsALookup(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		r := Resolver{Lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			stop()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		got := r.Handle(ctx, actor.Input{Body: server.Resolve{Host: "a.example", Port: 8333}}).(server.Resolved)
		if got.Err != "a.example: the node is stopping" {
			t.Errorf("got %+v", got)
		}
	})
}
