package node

import (
	"net"
	"strings"
	"testing"

	"acyclic/chain/engine"
	"acyclic/config"
)

// The daemon looks at the addresses before it opens anything; one that is taken
// between that and the start is named with its option, and the node is stopped.
func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	dir := t.TempDir()
	option := "--listen=" + busy.Addr().String()
	cfg, err := config.Load([]string{"--regtest", "--norpc", "--datadir=" + dir, "--logdir=" + dir, option})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Config{DataDir: cfg.DataDir, Params: cfg.Params, UtxoCacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = Start(Options{Config: cfg, Worker: e.Worker(), Readers: e.Reader(), Log: &memory{}, Warn: func(string) {}})
	if err == nil || !strings.HasPrefix(err.Error(), option+": ") || !strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line that names %s", err, option)
	}
}
