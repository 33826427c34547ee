package config

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"acyclic/internal/proof/golden"
)

// loadWith loads with an empty home directory, to which it writes conf as
// acyclic.conf unless conf is "".
func loadWith(t *testing.T, conf string, args ...string) (*Config, string, error) {
	t.Helper()
	home := t.TempDir()
	if conf != "" {
		if err := os.WriteFile(filepath.Join(home, "acyclic.conf"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := load(args, home)
	return c, home, err
}

func must(t *testing.T, conf string, args ...string) *Config {
	t.Helper()
	c, _, err := loadWith(t, conf, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c, home, err := loadWith(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Params.Name != "testnet3" || c.MaxPeers != 125 || !c.DNSSeed || c.UserAgent != "/acyclic:"+Version+"/" {
		t.Errorf("%+v", c)
	}
	if c.DataDir != filepath.Join(home, "data", "testnet") || c.LogDir != filepath.Join(home, "logs", "testnet") {
		t.Errorf("data %s, logs %s", c.DataDir, c.LogDir)
	}
	if c.CookieFile != filepath.Join(c.DataDir, ".cookie") || c.CookieFile != CookieFile(filepath.Join(home, "data"), c.Network) {
		t.Errorf("cookie %s", c.CookieFile)
	}
	if c.UtxoCacheBytes != 250<<20 || c.PruneBytes != 0 || c.Levels.Default != "info" || c.LogJSON {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(c.Listen, []string{":18333"}) || !slices.Equal(c.RPCListen, []string{"127.0.0.1:18332", "[::1]:18332"}) {
		t.Errorf("listens on %v, RPC %v", c.Listen, c.RPCListen)
	}
	if c.MaxMempool != 300_000_000 || c.MinRelayTxFee != 1000 || c.MempoolExpiry != 14*24*time.Hour || !c.PersistMempool || c.BlocksOnly {
		t.Errorf("the pool: %+v", c)
	}
	if len(c.Params.Checkpoints) != len(c.Network.Params.Checkpoints) || c.ConfigFile != "" || c.Print != "" || c.ProfileAddr != "" {
		t.Errorf("%+v", c)
	}
}

func TestNetworks(t *testing.T) {
	for flag, want := range map[string][4]string{
		"--testnet":  {"testnet3", "testnet", ":18333", "127.0.0.1:18332"},
		"--testnet4": {"testnet4", "testnet4", ":48333", "127.0.0.1:48332"},
		"--signet":   {"signet", "signet", ":38333", "127.0.0.1:38332"},
		"--simnet":   {"simnet", "simnet", ":18555", "127.0.0.1:18556"},
		"--regtest":  {"regtest", "regtest", ":18444", "127.0.0.1:18443"},
		"--mainnet":  {"mainnet", "mainnet", ":8333", "127.0.0.1:8332"},
	} {
		c := must(t, "", flag)
		got := [4]string{c.Params.Name, filepath.Base(c.DataDir), c.Listen[0], c.RPCListen[0]}
		if got != want {
			t.Errorf("%s: %v, want %v", flag, got, want)
		}
	}
}

// Every option that has an effect on the result, once.
func TestOptions(t *testing.T) {
	dir := t.TempDir()
	hash := "000000002a936ca763904c3c35fce2f3556c559c0214345d31b1bcebf76acb70"
	for _, c := range []struct {
		args string
		ok   func(*Config) bool
	}{
		{"--datadir " + dir, func(c *Config) bool { return c.DataDir == filepath.Join(dir, "testnet") }},
		{"-b " + dir + " --regtest", func(c *Config) bool { return c.DataDir == filepath.Join(dir, "regtest") }},
		{"--logdir=" + dir, func(c *Config) bool { return c.LogDir == filepath.Join(dir, "testnet") }},
		{"--listen=127.0.0.1 --listen=[::1]:5 --listen=127.0.0.1:18333", func(c *Config) bool {
			return slices.Equal(c.Listen, []string{"127.0.0.1:18333", "[::1]:5"})
		}},
		{"--nolisten", func(c *Config) bool { return len(c.Listen) == 0 }},
		{"--connect=node.example", func(c *Config) bool {
			return slices.Equal(c.Connect, []string{"node.example:18333"}) && len(c.Listen) == 0 && !c.DNSSeed
		}},
		{"--connect=192.0.2.1 --listen=:7", func(c *Config) bool { return slices.Equal(c.Listen, []string{":7"}) }},
		{"-a 2001:db8::1 --addpeer=[2001:db8::2]", func(c *Config) bool {
			return slices.Equal(c.AddPeer, []string{"[2001:db8::1]:18333", "[2001:db8::2]:18333"}) && c.DNSSeed
		}},
		{"--maxpeers=7", func(c *Config) bool { return c.MaxPeers == 7 }},
		{"--nodnsseed", func(c *Config) bool { return !c.DNSSeed }},
		{"--regtest", func(c *Config) bool { return !c.DNSSeed }},
		{"--nocheckpoints --addcheckpoint=1:" + hash, func(c *Config) bool { return c.Params.Checkpoints == nil }},
		{"--addcheckpoint=3000000:" + hash, func(c *Config) bool {
			l := c.Params.Checkpoints
			return len(l) == 1+len(c.Network.Params.Checkpoints) && l[len(l)-1].Height == 3_000_000 && l[len(l)-1].Hash.String() == hash
		}},
		{"--addcheckpoint=546:" + strings.Repeat("0", 64), func(c *Config) bool {
			return len(c.Params.Checkpoints) == len(c.Network.Params.Checkpoints) && c.Params.Checkpoints[0].Hash.String() == strings.Repeat("0", 64)
		}},
		{"-d warn,chain=trace", func(c *Config) bool {
			return c.Levels.Of["chain"] == "trace" && c.Levels.Default == "warn"
		}},
		{"--logformat=json", func(c *Config) bool { return c.LogJSON }},
		{"--rpclisten=127.0.0.1:9", func(c *Config) bool { return slices.Equal(c.RPCListen, []string{"127.0.0.1:9"}) }},
		{"--rpclisten=192.0.2.1 -u me -P pass", func(c *Config) bool {
			return slices.Equal(c.RPCListen, []string{"192.0.2.1:18332"}) && c.RPCUser == "me" && c.RPCPass == "pass"
		}},
		{"--norpc --rpclisten=127.0.0.1 -u me -P pass", func(c *Config) bool { return c.RPCListen == nil }}, // as btcd,
		{"--utxocachemaxsize=1", func(c *Config) bool { return c.UtxoCacheBytes == 1<<20 }},
		{"--prune=1536", func(c *Config) bool { return c.PruneBytes == 1536<<20 }},
		{"--maxmempool=5", func(c *Config) bool { return c.MaxMempool == 5_000_000 }},
		{"--minrelaytxfee=0.00002", func(c *Config) bool { return c.MinRelayTxFee == 2000 }},
		{"--minrelaytxfee=0", func(c *Config) bool { return c.MinRelayTxFee == 0 }},
		{"--minrelaytxfee=1", func(c *Config) bool { return c.MinRelayTxFee == 1e8 }},
		{"--minrelaytxfee=.00000001", func(c *Config) bool { return c.MinRelayTxFee == 1 }},
		{"--mempoolexpiry=1", func(c *Config) bool { return c.MempoolExpiry == time.Hour }},
		{"--persistmempool", func(c *Config) bool { return c.PersistMempool }},
		{"--persistmempool=1", func(c *Config) bool { return c.PersistMempool }},
		{"--persistmempool=0", func(c *Config) bool { return !c.PersistMempool }},
		{"--nopersistmempool", func(c *Config) bool { return !c.PersistMempool }},
		{"--nopersistmempool=1", func(c *Config) bool { return !c.PersistMempool }},
		{"--nopersistmempool=0", func(c *Config) bool { return c.PersistMempool }},
		{"--persistmempool --nopersistmempool", func(c *Config) bool { return !c.PersistMempool }}, // the last one counts
		{"--blocksonly", func(c *Config) bool { return c.BlocksOnly }},
		{"--uacomment=a --uacomment=b", func(c *Config) bool { return c.UserAgent == "/acyclic:"+Version+"(a; b)/" }},
		{"--profile=6060", func(c *Config) bool { return c.ProfileAddr == "127.0.0.1:6060" }},
	} {
		cfg := must(t, "", strings.Fields(c.args)...)
		if !c.ok(cfg) {
			t.Errorf("%s: %+v", c.args, cfg)
		}
	}
}

// The file gives values, the command line wins over it, the networks included.
func TestFile(t *testing.T) {
	conf := `
# a comment
; another
[Application Options]
maxpeers=9
addpeer = 192.0.2.1
addpeer = 192.0.2.2
regtest=1
nodnsseed=1
debuglevel="debug"
`
	c, home, err := loadWith(t, conf)
	if err != nil {
		t.Fatal(err)
	}
	if c.MaxPeers != 9 || len(c.AddPeer) != 2 || c.AddPeer[0] != "192.0.2.1:18444" || c.Params.Name != "regtest" ||
		c.DNSSeed || c.Levels.Default != "debug" || c.ConfigFile != filepath.Join(home, "acyclic.conf") {
		t.Errorf("the file alone: %+v", c)
	}
	c = must(t, conf, "--maxpeers=3", "--addpeer=192.0.2.3", "--testnet4", "-d", "warn")
	if c.MaxPeers != 3 || !slices.Equal(c.AddPeer, []string{"192.0.2.3:48333"}) || c.Params.Name != "testnet4" || c.Levels.Default != "warn" || c.DNSSeed {
		t.Errorf("the command line over the file: %+v", c)
	}
	c = must(t, conf, "--regtest")
	if c.MaxPeers != 125 || len(c.AddPeer) != 0 || c.ConfigFile != "" {
		t.Errorf("regtest read the default file: %+v", c)
	}
	named := filepath.Join(t.TempDir(), "my.conf")
	if err := os.WriteFile(named, []byte("maxpeers=4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c = must(t, "", "--regtest", "-C", named); c.MaxPeers != 4 || c.ConfigFile != named {
		t.Errorf("regtest did not read the file that was named: %+v", c)
	}
}

// Each error of use is one line that names option, value and what is right.
func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const addr = "want an IP address of this machine with or without a port, as in 127.0.0.1:18444, [::1]:18444 or :18444"
	const host = "want a host with or without a port, as in 192.0.2.1, [2001:db8::1]:18333 or node.example.org:18333"
	const rate = "want BTC for 1,000 virtual bytes, 0 to 1 with at most eight decimals, as in 0.00001"
	const checkpoint = "want HEIGHT:HASH, as in 546:000000002a936ca763904c3c35fce2f3556c559c0214345d31b1bcebf76acb70"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--maxpeers=abc"}, "--maxpeers=abc: want a whole number from 1 to 10000"},
		{[]string{"--maxpeers=0"}, "--maxpeers=0: want a whole number from 1 to 10000"},
		{[]string{"--maxpeers=-3"}, "--maxpeers=-3: want a whole number from 1 to 10000"},
		{[]string{"--maxpeers="}, `--maxpeers="": want a whole number from 1 to 10000`},
		{[]string{"--listen="}, `--listen="": ` + addr},
		{[]string{"--datadir="}, `--datadir="": want the path of a directory`},
		{[]string{"--logdir="}, `--logdir="": want the path of a directory`},
		{[]string{"-b", ""}, `--datadir="": want the path of a directory`},
		{[]string{"--configfile="}, `--configfile="": want the path of an ini file`},
		{[]string{"--profile="}, `--profile="": want a whole number from 1024 to 65535`},
		{[]string{"--rpcuser=", "--rpcpass=x"}, `--rpcuser="": want a name without a colon`},
		{[]string{"--rpcuser=me", "--rpcpass="}, `--rpcpass="": want a password`},
		{[]string{"--maxpeers"}, "--maxpeers: no value; want --maxpeers=N"},
		{[]string{"-b"}, "--datadir: no value; want --datadir=DIR"},
		{[]string{"-b", "--regtest"}, "--datadir: no value; want --datadir=DIR"},
		{[]string{"--maxpeer=3"}, "--maxpeer: no such option; did you mean --maxpeers?"},
		{[]string{"--rpcpassword=x"}, "--rpcpassword: no such option; did you mean --rpcpass?"},
		{[]string{"--rpcport=1"}, "--rpcport: no such option; did you mean --rpclisten?"},
		{[]string{"--txindex"}, "--txindex: no such option; see --help"},
		{[]string{"-regtest"}, "-regtest: no such option; did you mean --regtest?"},
		{[]string{"-rpcport=1"}, "-rpcport: no such option; did you mean --rpclisten?"},
		{[]string{"-z"}, "-z: no such option; see --help"},
		{[]string{"--regtest=yes"}, "--regtest: takes no value; want --regtest alone"},
		{[]string{"start"}, "start: not an option; options start with --, see --help"},
		{[]string{"--regtest", "--simnet"}, "--simnet and --regtest: want one network only"},
		{[]string{"--datadir=" + file}, "--datadir=" + file + ": want a directory, this is a file"},
		{[]string{"--logdir=" + file}, "--logdir=" + file + ": want a directory, this is a file"},
		{[]string{"--configfile=/no/such"}, "--configfile=/no/such: no such file; want the path of an ini file"},
		{[]string{"--configfile=" + dir}, "--configfile=" + dir + ": cannot be read (is a directory); want the path of an ini file"},
		{[]string{"--listen=here"}, "--listen=here: " + addr},
		{[]string{"--listen=127.0.0.1:99999"}, "--listen=127.0.0.1:99999: " + addr},
		{[]string{"--listen=127.0.0.1:http"}, "--listen=127.0.0.1:http: " + addr},
		{[]string{"--listen=1:2:3"}, "--listen=1:2:3: " + addr},
		{[]string{"--connect=a b"}, `--connect="a b": ` + host},
		{[]string{"--connect=256.1.1.1"}, "--connect=256.1.1.1: " + host},
		{[]string{"--addpeer=a..b"}, "--addpeer=a..b: " + host},
		{[]string{"--addpeer=:18333"}, "--addpeer=:18333: " + host},
		{[]string{"--addpeer=x:0"}, "--addpeer=x:0: " + host},
		{[]string{"--addpeer=a", "--connect=b"}, "--connect=b and --addpeer=a: want one of the two, --connect means these peers only"},
		{[]string{"--nolisten", "--listen=:5"}, "--nolisten and --listen=:5: want one of the two"},
		{[]string{"--addcheckpoint=5"}, "--addcheckpoint=5: " + checkpoint},
		{[]string{"--addcheckpoint=x:y"}, "--addcheckpoint=x:y: " + checkpoint},
		{[]string{"--addcheckpoint=5:" + strings.Repeat("g", 64)}, "--addcheckpoint=5:" + strings.Repeat("g", 64) + ": " + checkpoint},
		{[]string{"--utxocachemaxsize=big"}, "--utxocachemaxsize=big: want a whole number from 0 to 1048576"},
		{[]string{"--prune=100"}, "--prune=100: want 0, to keep all blocks, or a whole number of MiB from 1536 to 1073741824"},
		{[]string{"-d", "loud"}, `--debuglevel=loud: "loud" is not a level; want trace, debug, info, warn, error or critical`},
		{[]string{"-d", "wallet=info"}, `--debuglevel=wallet=info: "wallet" is not a subsystem; want book, chain, engine, netsync, node, peer, relay, rpc, server, transport`},
		{[]string{"--logformat=xml"}, "--logformat=xml: want text or json"},
		{[]string{"--rpclisten=0.0.0.0"}, "--rpclisten=0.0.0.0:18332: want a loopback address as in 127.0.0.1, or --rpcuser and --rpcpass as well"},
		{[]string{"--rpclisten=nowhere"}, "--rpclisten=nowhere: " + addr},
		{[]string{"--rpcuser=a:b", "--rpcpass=c"}, "--rpcuser=a:b: want a name without a colon"},
		{[]string{"--rpcuser=me"}, "--rpcuser=me with no --rpcpass: want both --rpcuser and --rpcpass, or none of them to use the cookie"},
		{[]string{"--rpcpass=secret"}, `--rpcuser="" with a --rpcpass: want both --rpcuser and --rpcpass, or none of them to use the cookie`},
		{[]string{"--uacomment=a/b"}, "--uacomment=a/b: want printable ASCII without / : ( )"},
		{[]string{"--uacomment=a\nb"}, `--uacomment="a\nb": want printable ASCII without / : ( )`},
		{[]string{"--uacomment=" + strings.Repeat("x", 300)}, "--uacomment=" + strings.Repeat("x", 300) + ": want comments that make a user agent of at most 256 bytes, this one has 317"},
		{[]string{"--maxmempool=4"}, "--maxmempool=4: want a whole number from 5 to 1048576"},
		{[]string{"--maxmempool="}, `--maxmempool="": want a whole number from 5 to 1048576`},
		{[]string{"--minrelaytxfee=1.1"}, "--minrelaytxfee=1.1: " + rate},
		{[]string{"--minrelaytxfee=-1"}, "--minrelaytxfee=-1: " + rate},
		{[]string{"--minrelaytxfee=1e-5"}, "--minrelaytxfee=1e-5: " + rate},
		{[]string{"--minrelaytxfee=0.000000001"}, "--minrelaytxfee=0.000000001: " + rate},
		{[]string{"--minrelaytxfee=."}, "--minrelaytxfee=.: " + rate},
		{[]string{"--minrelaytxfee="}, `--minrelaytxfee="": ` + rate},
		{[]string{"--mempoolexpiry=0"}, "--mempoolexpiry=0: want a whole number from 1 to 87600"},
		{[]string{"--persistmempool=yes"}, "--persistmempool=yes: want 1 or 0"},
		{[]string{"--persistmempool="}, `--persistmempool="": want 1 or 0`},
		{[]string{"--nopersistmempool=x"}, "--nopersistmempool: no such option; did you mean --persistmempool?"},
		{[]string{"--blocksonly=1"}, "--blocksonly: takes no value; want --blocksonly alone"},
		{[]string{"--profile=80"}, "--profile=80: want a whole number from 1024 to 65535"},
	} {
		_, _, err := loadWith(t, "", c.args...)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.args, err)
		case c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%q:\n got %v\nwant %s", c.args, err, c.want)
		}
	}
}

// Every option with a value says what is right for it.
func TestEveryValueIsChecked(t *testing.T) {
	for _, group := range newParser(new(options)).Groups() {
		for _, opt := range group.Options() {
			name, _, _ := strings.Cut(opt.Field().Tag.Get("want"), " ")
			if kind := opt.Field().Type.Kind(); kind != reflect.Bool && kind != reflect.Func && checks[name] == nil {
				t.Errorf("--%s has no check", opt.LongName)
			}
		}
	}
}

// Errors in the file name the line.
func TestFileErrors(t *testing.T) {
	for conf, want := range map[string]string{
		"\nmaxpeers=abc\n":        ":2: maxpeers=abc: want a whole number from 1 to 10000",
		"maxpeers=1\nmaxpeers=x":  ":2: maxpeers=x: want a whole number from 1 to 10000",
		"regtest\n":               ":1: regtest: no value; want regtest=1 or the like",
		"regtest=maybe\n":         ":1: regtest=maybe: want 1 or 0",
		"regtest=\n":              `:1: regtest="": want 1 or 0`,
		"debuglevel=show\n":       `:1: debuglevel=show: "show" is not a level; want trace, debug, info, warn, error or critical`,
		"--regtest=1\n":           ":1: --regtest: write it without dashes, as in regtest=1",
		"# x\n\nmaxpeer=1\n":      ":3: maxpeer: no such option in a file; did you mean maxpeers?",
		"configfile=other\n":      ":1: configfile: no such option in a file; see --help",
		"# x\ndatadir=\n":         `:2: datadir="": want the path of a directory`,
		"maxpeers=\n":             `:1: maxpeers="": want a whole number from 1 to 10000`,
		"[Application Options\n":  `:1: "[Application Options": want the only section to be [Application Options]`,
		"[Wallet]\nmaxpeers=1\n":  ":1: [Wallet]: want the only section to be [Application Options]",
		"listen=\"127.0.0.1\n":    `:1: "listen=\"127.0.0.1": want a value between two quotes, or without any`,
		"persistmempool=no\n":     ":1: persistmempool=no: want 1 or 0",
		"nopersistmempool=no\n":   ":1: nopersistmempool: no such option in a file; did you mean persistmempool?",
		"minrelaytxfee=free\n":    ":1: minrelaytxfee=free: want BTC for 1,000 virtual bytes, 0 to 1 with at most eight decimals, as in 0.00001",
		"maxpeers=abc\nprune=1\n": ":1: maxpeers=abc: want a whole number from 1 to 10000",
		"regtest=1\nsimnet=1\n":   "--simnet and --regtest: want one network only",
	} {
		_, home, err := loadWith(t, conf)
		if err == nil {
			t.Errorf("%q: no error", conf)
			continue
		}
		got := strings.TrimPrefix(err.Error(), filepath.Join(home, "acyclic.conf"))
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// A switch that is off by its name is the same option: the command line wins over the
// file in all four combinations.
func TestSwitchedOffByName(t *testing.T) {
	for conf, want := range map[string]bool{
		"persistmempool=1": true, "persistmempool=0": false, "nopersistmempool=1": false, "nopersistmempool=0": true,
	} {
		if c := must(t, conf); c.PersistMempool != want {
			t.Errorf("%s: %v", conf, c.PersistMempool)
		}
		if c := must(t, conf, "--nopersistmempool"); c.PersistMempool {
			t.Errorf("%s below --nopersistmempool: it is kept", conf)
		}
		if c := must(t, conf, "--persistmempool"); !c.PersistMempool {
			t.Errorf("%s below --persistmempool: it is not kept", conf)
		}
	}
}

// The file that the README shows is one.
func TestReadmeFile(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, ok := strings.Cut(string(text), "\n    # ~/.acyclic/acyclic.conf\n")
	sample, _, _ = strings.Cut(sample, "\n\n")
	c := must(t, sample)
	if !ok || c.Params.Name != "testnet4" || c.MaxMempool != 100_000_000 || c.MinRelayTxFee != 2000 || c.PersistMempool {
		t.Errorf("%+v", c)
	}
}

// The file is wrong although the command line says otherwise.
func TestFileErrorsBelowTheCommandLine(t *testing.T) {
	for conf, arg := range map[string]string{"maxpeers=abc\n": "--maxpeers=3", "nolisten=maybe\n": "--nolisten"} {
		if _, _, err := loadWith(t, conf, arg); err == nil || !strings.Contains(err.Error(), "acyclic.conf:1: ") {
			t.Errorf("%q below %s: %v", conf, arg, err)
		}
	}
}

func TestPrint(t *testing.T) {
	if c := must(t, "maxpeers=wrong", "--version", "--maxpeers=x"); c.Print != "acyclicd version "+Version+"\n" {
		t.Errorf("%q", c.Print)
	}
	if c := must(t, "", "--debuglevel=show"); c.Print != "subsystems: "+strings.Join(Subsystems, " ")+"\n" {
		t.Errorf("%q", c.Print)
	}
	help := must(t, "", "--regtest", "--help").Print
	golden.Equal(t, filepath.Join("testdata", "help.txt"), []byte(help))
}

// Defaults of a network are copied, never changed.
func TestParamsAreCopies(t *testing.T) {
	before := len(Networks[0].Params.Checkpoints)
	c := must(t, "", "--addcheckpoint=1:"+strings.Repeat("1", 64))
	c.Params.Checkpoints[0].Height = -1
	if len(Networks[0].Params.Checkpoints) != before || Networks[0].Params.Checkpoints[0].Height == -1 {
		t.Error("the network's own checkpoints were changed")
	}
}

// The home directory is $HOME's, which need not be what the system knows of the
// user: under sudo, in a container, in a service.
func TestHome(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("$HOME has no meaning")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	if got := Expand("~/x"); got != filepath.Join(home, "x") {
		t.Errorf("~/x is %s", got)
	}
	if runtime.GOOS != "linux" {
		return
	}
	c, err := Load([]string{"--regtest"})
	if err != nil || c.DataDir != filepath.Join(home, ".acyclic", "data", "regtest") {
		t.Errorf("data in %v, %v; want it below %s", c, err, home)
	}
	t.Setenv("HOME", "")
	if got := Expand("~"); got == "" || got == "~" || got == home {
		t.Errorf("without $HOME, ~ is %q", got)
	}
}

// Two services cannot have one port: it is said before either is started, with
// both names.
func TestPortClashes(t *testing.T) {
	const want = "want a port of its own for each"
	for args, names := range map[string]string{
		"--listen=127.0.0.1:5 --rpclisten=127.0.0.1:5": "--listen=127.0.0.1:5 and --rpclisten=127.0.0.1:5",
		"--listen=:18332":                                  "--listen=:18332 and --rpclisten=127.0.0.1:18332 (the default)",
		"--listen=[::]:18332 --rpclisten=[::1]":            "--listen=[::]:18332 and --rpclisten=[::1]:18332",
		"--rpclisten=127.0.0.1:18333":                      "--listen=:18333 (the default) and --rpclisten=127.0.0.1:18333",
		"--profile=18332":                                  "--rpclisten=127.0.0.1:18332 (the default) and --profile=18332",
		"--listen=127.0.0.1:6060 --profile=6060":           "--listen=127.0.0.1:6060 and --profile=6060",
		"--listen=localhost:7 --rpclisten=127.0.0.1:7":     "--listen=localhost:7 and --rpclisten=127.0.0.1:7",
		"--listen=127.0.0.1:7 --listen=0.0.0.0:07":         "--listen=127.0.0.1:7 and --listen=0.0.0.0:7",
		"--listen=127.0.0.1:7 --rpclisten=127.0.0.2:7":     "",
		"--listen=0.0.0.0:7 --rpclisten=[::1]:7":           "",
		"--nolisten --norpc --profile=18332":               "",
		"--nolisten --rpclisten=127.0.0.1:18333":           "",
		"--connect=127.0.0.1:5 --rpclisten=127.0.0.1:5":    "",
		"--listen=[::1]:7 --rpclisten=127.0.0.1:7":         "",
		"--norpc --rpclisten=127.0.0.1:5 --listen=:5":      "",
		"--listen=127.0.0.1:18332 --norpc --profile=18333": "",
	} {
		_, _, err := loadWith(t, "", strings.Fields(args)...)
		switch {
		case names == "" && err != nil:
			t.Errorf("%s: %v", args, err)
		case names != "" && (err == nil || err.Error() != names+": the same port; "+want):
			t.Errorf("%s:\n got %v\nwant %s: the same port; %s", args, err, names, want)
		}
	}
}
