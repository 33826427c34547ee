package node

import (
	"context"
	"net/netip"
	"reflect"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain/engine"
	"acyclic/config"
	"acyclic/peer"
)

// configured is the configuration that a user gives, in directories of its own.
func configured(t *testing.T, options ...string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir) // there is no configuration file
	cfg, err := config.Load(append([]string{"--norpc", "--datadir=" + dir, "--logdir=" + dir}, options...))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// started runs a node until the end of the test.
func started(t *testing.T, cfg *config.Config) *Node {
	t.Helper()
	e, err := engine.Open(engine.Config{DataDir: cfg.DataDir, Params: cfg.Params, UtxoCacheBytes: 1 << 20, PruneBytes: cfg.PruneBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	n, err := Start(Options{Config: cfg, Worker: e.Worker(), Readers: e.Reader(), Log: &memory{}, Warn: func(s string) { t.Error(s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Whom the node looks for is what the user says. On a network without public nodes it
// looks for nobody by itself.
func TestWhomTheUserWants(t *testing.T) {
	seeds := func(cfg *config.Config) (hosts []string) {
		for _, s := range cfg.Params.DNSSeeds {
			hosts = append(hosts, s.Host)
		}
		return hosts
	}
	for _, c := range []struct {
		why               string
		options           []string
		connect, add      []string
		seeking, dnsSeeds bool
		port              uint16
	}{
		{"nothing is said", nil, nil, nil, true, true, 18333},
		{"peers to begin with", []string{"--mainnet", "--addpeer=192.0.2.1"}, nil, []string{"192.0.2.1:8333"}, true, true, 8333},
		{"certain peers alone", []string{"--connect=192.0.2.1:7"}, []string{"192.0.2.1:7"}, nil, true, false, 18333},
		{"no name server", []string{"--testnet4", "--nodnsseed"}, nil, nil, true, false, 48333},
		{"a network of our own", []string{"--regtest", "--addpeer=192.0.2.1"}, nil, []string{"192.0.2.1:18444"}, false, false, 18444},
		{"another one", []string{"--simnet"}, nil, nil, false, false, 18555},
	} {
		cfg := configured(t, c.options...)
		s, err := settings(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s.Server.ConnectOnly, c.connect) || !reflect.DeepEqual(s.Server.AddPeers, c.add) {
			t.Errorf("%s: only %v, and %v; want %v, and %v", c.why, s.Server.ConnectOnly, s.Server.AddPeers, c.connect, c.add)
		}
		if seeking := s.Server.OutboundTarget > 0; seeking != c.seeking || s.Server.NoDNSSeed == c.dnsSeeds {
			t.Errorf("%s: it looks for %d peers, without DNS seeds: %v", c.why, s.Server.OutboundTarget, s.Server.NoDNSSeed)
		}
		if !reflect.DeepEqual(s.Server.DNSSeeds, seeds(cfg)) || s.Server.DefaultPort != c.port {
			t.Errorf("%s: DNS seeds %v, port %d", c.why, s.Server.DNSSeeds, s.Server.DefaultPort)
		}
	}
}

// No two processes have the same secrets: a peer must not know the nonces by which a node
// recognises itself, nor foresee its choices.
func TestSecretsAreOfOneProcess(t *testing.T) {
	cfg := configured(t)
	a, err := settings(cfg)
	b, err2 := settings(cfg)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if a.Seed == b.Seed || a.Peer.NonceKey == b.Peer.NonceKey || a.Seed[0] == a.Seed[1] || a.Peer.NonceKey == [32]byte{} {
		t.Errorf("the seeds are %v and %v, the keys %x and %x", a.Seed, b.Seed, a.Peer.NonceKey, b.Peer.NonceKey)
	}
}

// What a node offers is the same to its peers and to its user. One that keeps only the
// last blocks must not say that it has all.
func TestWhatTheNodeOffers(t *testing.T) {
	for _, c := range []struct {
		why      string
		options  []string
		services wire.ServiceFlag
		prune    uint64
	}{
		{"all blocks", nil, wire.SFNodeNetwork | wire.SFNodeWitness, 0},
		{"the last blocks", []string{"--prune=2000"}, wire.SFNodeNetworkLimited | wire.SFNodeWitness, 2000 << 20},
	} {
		cfg := configured(t, append(c.options, "--regtest", "--nolisten", "--uacomment=test")...)
		n := started(t, cfg)
		toUser := n.RPC(cfg, 100, nil)
		if n.Settings.Peer.Services != c.services || toUser.Services != c.services {
			t.Errorf("%s: peers are told %v, the user %v, want %v", c.why, n.Settings.Peer.Services, toUser.Services, c.services)
		}
		if n.Settings.Peer.UserAgent != cfg.UserAgent || toUser.UserAgent != cfg.UserAgent || toUser.PruneBytes != c.prune {
			t.Errorf("%s: peers are told %q, the user %q, and that %d bytes are kept",
				c.why, n.Settings.Peer.UserAgent, toUser.UserAgent, toUser.PruneBytes)
		}
	}
}

// L2: each listener asks by itself. Two that used one asker at the same time would take
// each other's answers, and connections would be refused that have a seat.
func TestL2EachListenerAsksByItself(t *testing.T) {
	cfg := configured(t, "--regtest")
	cfg.Listen = []string{"127.0.0.1:0", "127.0.0.1:0"} // two ports that are free
	n := started(t, cfg)
	admit := n.transportConfig(cfg.Params.Net, &memory{}).Admit
	local := netip.MustParseAddrPort("127.0.0.1:18444")
	asked := [2]uint64{}
	for i, listener := range []int{1, 0, 1, 1} {
		remote := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 7)
		if !admit(context.Background(), listener, peer.ConnID(1000+i), remote, local) {
			t.Errorf("listener %d: refused, and there are seats", listener)
		}
		asked[listener]++
		for k, want := range asked {
			if st := n.System().Lookup(ListenerID(k)).Stats(); st.Taken != want || st.Asking != 0 {
				t.Errorf("listener %d has had %d answers and waits for %d, want %d and none", k, st.Taken, st.Asking, want)
			}
		}
	}
}

// --blocksonly asks peers for no transactions. Without it they are asked.
func TestBlocksOnly(t *testing.T) {
	for _, blocksOnly := range []bool{false, true} {
		cfg, err := config.Load([]string{"--regtest", "--norpc"})
		if err != nil {
			t.Fatal(err)
		}
		cfg.BlocksOnly = blocksOnly
		s, err := settings(cfg)
		if err != nil || s.Peer.WantTxs == blocksOnly {
			t.Errorf("--blocksonly %v: peers are asked %v, %v", blocksOnly, s.Peer.WantTxs, err)
		}
	}
}
