package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A client asks the node that would run with the same options: on the network of the
// command line, else on that of the file, else on the default one. Those that run regtest,
// simnet or signet do not read the default file.
func TestWhatAClientReads(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("$HOME has no meaning")
	}
	const conf = "regtest=1\ndatadir=/data\nrpclisten=127.0.0.1\nrpclisten=127.0.0.1:9\nrpcuser=me\nrpcpass=word\n"
	for _, c := range []struct {
		why     string
		flags   NetworkFlags
		named   bool   // the file is named on the command line
		content string // of the file
		want    string // network, data directory, addresses, user and password
	}{
		{"the file's network", NetworkFlags{}, true, conf, "regtest /data [127.0.0.1:18443 127.0.0.1:9] me:word"},
		{"the default file's network", NetworkFlags{}, false, conf, "regtest /data [127.0.0.1:18443 127.0.0.1:9] me:word"},
		{"the command line's network", NetworkFlags{SigNet: true}, true, conf, "signet /data [127.0.0.1:38332 127.0.0.1:9] me:word"},
		{"another network in the default file", NetworkFlags{TestNet4: true}, false, conf, "testnet4 /data [127.0.0.1:48332 127.0.0.1:9] me:word"},
		{"regtest and the like do not read it", NetworkFlags{SimNet: true}, false, conf, "simnet  [] :"},
		{"no network anywhere", NetworkFlags{}, true, "rpclisten=::1\n", "testnet  [[::1]:18332] :"},
		{"a name without a password", NetworkFlags{}, true, "mainnet=1\nrpcuser=me\n", "mainnet  [] :"},
		{"an empty file", NetworkFlags{MainNet: true}, true, "", "mainnet  [] :"},
	} {
		t.Setenv("HOME", t.TempDir())
		path := filepath.Join(HomeDir(), "acyclic.conf")
		if err := errors.Join(os.MkdirAll(HomeDir(), 0o700), os.WriteFile(path, []byte(c.content), 0o600)); err != nil {
			t.Fatal(err)
		}
		if !c.named {
			path = ""
		}
		got, err := LoadClient(c.flags, path)
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		if says := fmt.Sprintf("%s %s %v %s:%s", got.Network.Flag, got.DataDir, got.RPCListen, got.RPCUser, got.RPCPass); says != c.want {
			t.Errorf("%s: %s, want %s", c.why, says, c.want)
		}
	}
	two := filepath.Join(t.TempDir(), "two.conf")
	if err := os.WriteFile(two, []byte("regtest=1\nsignet=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadClient(NetworkFlags{}, two); err == nil {
		t.Error("a file of two networks is taken")
	}
}
