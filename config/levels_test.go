package config

import (
	"cmp"
	"testing"
)

func TestParseLevels(t *testing.T) {
	for _, c := range []struct{ in, chain, peer, err string }{
		{in: "info", chain: "info", peer: "info"},
		{in: "trace", chain: "trace", peer: "trace"},
		{in: "critical", chain: "critical", peer: "critical"},
		{in: "chain=debug", chain: "debug", peer: "info"},
		{in: "warn,chain=debug", chain: "debug", peer: "warn"},
		{in: "chain=debug, peer=error", chain: "debug", peer: "error"},
		{in: "loud", err: `"loud" is not a level; want trace, debug, info, warn, error or critical`},
		{in: "chain=loud", err: `"loud" is not a level; want trace, debug, info, warn, error or critical`},
		{in: "CHAN=debug", err: `"CHAN" is not a subsystem; want book, chain, engine, netsync, node, peer, relay, rpc, server, transport`},
		{in: "chain=debug,", err: `"" is not a level; want trace, debug, info, warn, error or critical`},
		{in: "", err: `"" is not a level; want trace, debug, info, warn, error or critical`},
	} {
		l, err := parseLevels(c.in)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%q: error %v, want %s", c.in, err, c.err)
			}
			continue
		}
		chain, peer := cmp.Or(l.Of["chain"], l.Default), cmp.Or(l.Of["peer"], l.Default)
		if err != nil || chain != c.chain || peer != c.peer {
			t.Errorf("%q: chain %s peer %s, %v; want %s %s", c.in, chain, peer, err, c.chain, c.peer)
		}
	}
}
