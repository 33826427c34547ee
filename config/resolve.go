package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/internal/adapters/logging"
)

// resolve makes a Config of options whose values have been checked one by one:
// what is left are defaults and contradictions.
func resolve(o *options, file, home string) (*Config, error) {
	network, err := o.Network()
	if err != nil {
		return nil, err
	}
	c := &Config{
		Network: network, Params: params(network, o), ConfigFile: file,
		DataDir:        directory(o.DataDir, filepath.Join(home, "data"), network),
		LogDir:         directory(o.LogDir, filepath.Join(home, "logs"), network),
		MaxPeers:       int(number(o.MaxPeers)),
		UtxoCacheBytes: number(o.UtxoCacheMaxSize) << 20,
		PruneBytes:     number(o.Prune) << 20,
		LogFormat:      formats[o.LogFormat],
	}
	c.Levels, _ = logging.ParseLevels(o.DebugLevel)
	c.CookieFile = filepath.Join(c.DataDir, ".cookie")
	if o.Profile != "" {
		c.ProfileAddr = net.JoinHostPort("127.0.0.1", o.Profile)
	}
	if c.UserAgent, err = userAgent(o.UAComment); err != nil {
		return nil, err
	}
	if err := c.resolvePeers(o); err != nil {
		return nil, err
	}
	if err := c.resolveRPC(o); err != nil {
		return nil, err
	}
	if err := c.checkPorts(o); err != nil {
		return nil, err
	}
	return c, nil
}

// directory places a network's directory below the one that was asked for.
func directory(asked, standard string, n Network) string {
	if asked == "" {
		return filepath.Join(standard, n.Dir)
	}
	return filepath.Join(Expand(asked), n.Dir)
}

// params copies the network's parameters and puts the checkpoints in order.
// Like btcd, --nocheckpoints wins over --addcheckpoint, and an added one
// replaces a built-in one of the same height.
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
	for _, c := range byHeight {
		p.Checkpoints = append(p.Checkpoints, c)
	}
	slices.SortFunc(p.Checkpoints, func(a, b chaincfg.Checkpoint) int { return int(a.Height) - int(b.Height) })
	return &p
}

// resolvePeers fills in where to listen and whom to dial.
func (c *Config) resolvePeers(o *options) error {
	if len(o.Connect) > 0 && len(o.AddPeer) > 0 {
		return usage("--connect=%s and --addpeer=%s: want one of the two, --connect means these peers only", quote(o.Connect[0]), quote(o.AddPeer[0]))
	}
	if o.NoListen && len(o.Listen) > 0 {
		return usage("--nolisten and --listen=%s: want one of the two", quote(o.Listen[0]))
	}
	port := c.Params.DefaultPort
	c.Connect, c.AddPeer = withPort(o.Connect, port), withPort(o.AddPeer, port)
	c.DNSSeed = !o.NoDNSSeed && len(o.Connect) == 0 && len(c.Params.DNSSeeds) > 0
	switch {
	case len(o.Listen) > 0:
		c.Listen = withPort(o.Listen, port)
	case !o.NoListen && len(o.Connect) == 0:
		c.Listen = []string{net.JoinHostPort("", port)}
	}
	return nil
}

// resolveRPC fills in where to serve RPC and for whom. The cookie's reader
// proves that it may read this machine's files; somebody from elsewhere needs a
// password that the user chose.
func (c *Config) resolveRPC(o *options) error {
	if (o.RPCUser == "") != (o.RPCPass == "") {
		return usage("--rpcuser=%s with %s: want both --rpcuser and --rpcpass, or none of them to use the cookie",
			quote(o.RPCUser), map[bool]string{true: "no --rpcpass", false: "a --rpcpass"}[o.RPCPass == ""])
	}
	if o.NoRPC {
		return nil
	}
	c.RPCUser, c.RPCPass = o.RPCUser, o.RPCPass
	for _, addr := range withPort(o.RPCListen, c.Network.RPCPort) {
		if !isLoopback(addr) && o.RPCUser == "" {
			return usage("--rpclisten=%s: want a loopback address as in 127.0.0.1, or --rpcuser and --rpcpass as well", quote(addr))
		}
		c.RPCListen = append(c.RPCListen, addr)
	}
	if len(c.RPCListen) == 0 {
		c.RPCListen = []string{net.JoinHostPort("127.0.0.1", c.Network.RPCPort), net.JoinHostPort("::1", c.Network.RPCPort)}
	}
	return nil
}

func isLoopback(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// withPort adds the port where there is none, and drops repetitions.
func withPort(addrs []string, port string) []string {
	var out []string
	for _, a := range addrs {
		host, p, _ := split(a)
		if p == "" {
			p = port
		}
		if full := net.JoinHostPort(host, p); !slices.Contains(out, full) {
			out = append(out, full)
		}
	}
	return out
}
