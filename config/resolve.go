package config

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/config/hostport"
)

// megabyte is Core's unit of --maxmempool.
const megabyte = 1_000_000

// resolve makes a Config of options whose values have been checked one by one.
// It fills in defaults and finds contradictions.
func resolve(o *options, file, home string) (*Config, error) {
	network, err := o.Network()
	if err != nil {
		return nil, err
	}
	directory := func(asked, standard string) string {
		return filepath.Join(Expand(cmp.Or(asked, filepath.Join(home, standard))), network.Dir)
	}
	c := &Config{
		Network: network, Params: params(network, o), ConfigFile: file,
		DataDir: directory(o.DataDir, "data"), LogDir: directory(o.LogDir, "logs"),
		MaxPeers:       int(number(o.MaxPeers)),
		UtxoCacheBytes: number(o.UtxoCacheMaxSize) << 20,
		PruneBytes:     number(o.Prune) << 20,
		MaxMempool:     int64(number(o.MaxMempool)) * megabyte,
		MempoolExpiry:  time.Duration(number(o.MempoolExpiry)) * time.Hour,
		PersistMempool: o.PersistMempool == "1",
		BlocksOnly:     o.BlocksOnly,
		LogJSON:        o.LogFormat == "json",
	}
	c.MinRelayTxFee, _ = parseFeeRate(o.MinRelayTxFee)
	c.Levels, _ = parseLevels(o.DebugLevel)
	c.CookieFile = filepath.Join(c.DataDir, ".cookie")
	if o.Profile != "" {
		c.ProfileAddr = "127.0.0.1:" + o.Profile
	}
	for _, part := range []func(*options) error{c.resolveAgent, c.resolvePeers, c.resolveRPC, c.checkPorts} {
		if err := part(o); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// params copies the network's parameters and puts the checkpoints in order. As in
// btcd, --nocheckpoints wins over --addcheckpoint, and an added checkpoint replaces
// a built-in one of the same height.
func params(n Network, o *options) *chaincfg.Params {
	p := *n.Params
	p.Checkpoints = nil
	if o.NoCheckpoints {
		return &p
	}
	byHeight := map[int32]chaincfg.Checkpoint{}
	for _, c := range n.Params.Checkpoints {
		byHeight[c.Height] = c
	}
	for _, s := range o.AddCheckpoint {
		c, _ := parseCheckpoint(s)
		byHeight[c.Height] = c
	}
	for _, height := range slices.Sorted(maps.Keys(byHeight)) {
		p.Checkpoints = append(p.Checkpoints, byHeight[height])
	}
	return &p
}

// resolvePeers fills in where to listen and which peers to dial.
func (c *Config) resolvePeers(o *options) error {
	if len(o.Connect) > 0 && len(o.AddPeer) > 0 {
		return usage("--connect=%s and --addpeer=%s: want one of the two, --connect means these peers only", quote(o.Connect[0]), quote(o.AddPeer[0]))
	}
	if o.NoListen && len(o.Listen) > 0 {
		return usage("--nolisten and --listen=%s: want one of the two", quote(o.Listen[0]))
	}
	port := c.Network.Port()
	c.Connect, c.AddPeer = complete(o.Connect, port, hostport.Parse), complete(o.AddPeer, port, hostport.Parse)
	c.DNSSeed = !o.NoDNSSeed && len(o.Connect) == 0 && len(c.Params.DNSSeeds) > 0
	switch {
	case len(o.Listen) > 0:
		c.Listen = complete(o.Listen, port, hostport.ParseListen)
	case !o.NoListen && len(o.Connect) == 0:
		c.Listen = []string{hostport.Addr{Port: port}.String()}
	}
	return nil
}

// resolveRPC fills in where to serve RPC, and the password. A client that reads the
// cookie proves that it may read this machine's files. A client from elsewhere
// needs a password that the user chose.
func (c *Config) resolveRPC(o *options) error {
	if (o.RPCUser == "") != (o.RPCPass == "") {
		pass := "no --rpcpass"
		if o.RPCPass != "" {
			pass = "a --rpcpass"
		}
		return usage("--rpcuser=%s with %s: want both --rpcuser and --rpcpass, or none of them to use the cookie", quote(o.RPCUser), pass)
	}
	if o.NoRPC {
		return nil
	}
	c.RPCUser, c.RPCPass = o.RPCUser, o.RPCPass
	listen := o.RPCListen
	if len(listen) == 0 {
		listen = []string{"127.0.0.1", "::1"}
	}
	c.RPCListen = complete(listen, c.Network.RPCPort, hostport.ParseListen)
	for _, addr := range c.RPCListen {
		if !listenIP(addr).Addr().IsLoopback() && o.RPCUser == "" {
			return usage("--rpclisten=%s: want a loopback address as in 127.0.0.1, or --rpcuser and --rpcpass as well", quote(addr))
		}
	}
	return nil
}

// complete adds the port where there is none, and drops repetitions.
func complete(addrs []string, port uint16, parse func(string, uint16) (hostport.Addr, bool)) []string {
	var out []string
	for _, a := range addrs {
		full, _ := parse(a, port) // it has been checked
		if s := full.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// resolveAgent makes BIP14's user agent: /acyclic:0.1.0(comment; comment)/.
func (c *Config) resolveAgent(o *options) error {
	comments := ""
	if len(o.UAComment) > 0 {
		comments = "(" + strings.Join(o.UAComment, "; ") + ")"
	}
	c.UserAgent = "/" + Name + ":" + Version + comments + "/"
	if n := len(c.UserAgent); n > wire.MaxUserAgentLen {
		return usage("--uacomment=%s: want comments that make a user agent of at most %d bytes, this one has %d",
			quote(o.UAComment[len(o.UAComment)-1]), wire.MaxUserAgentLen, n)
	}
	return nil
}
