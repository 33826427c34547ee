package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/cmd/stormlab/probe"
	"acyclic/integration/p2p"
)

// ours is the name of this node.
const ours = "acyclicd"

// kind is a program that the lab can storm.
type kind struct {
	name  string
	build string   // import path
	dir   string   // below the module's root: the folder to build it in
	args  []string // what the others do not take
	lacks map[string]string
}

var btcdArgs = []string{"--notls", "--nobanning", "--configfile=" + os.DevNull}

// kinds are the programs, in the order in which they are stormed.
var kinds = []kind{
	{name: "btcd-v0.24.2", build: "github.com/btcsuite/btcd", dir: "cmd/stormlab/btcd0242", args: btcdArgs},
	{name: "btcd-v0.26.2", build: "github.com/btcsuite/btcd", dir: ".", args: btcdArgs},
	{name: ours, build: "acyclic/cmd/acyclicd", dir: ".", lacks: map[string]string{
		"txs": "This node does not relay transactions yet: there is nothing to storm.",
	}},
}

// moduleRoot is where go.mod is; the lab has to be run from within the module.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Module.Dir}}", "acyclic/cmd/stormlab").Output()
	if err != nil {
		return "", fmt.Errorf("run stormlab from within the module acyclic: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// compile builds the program into bin and returns its path.
func (k kind) compile(ctx context.Context, root, bin string) (string, error) {
	path := filepath.Join(bin, k.name)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, k.build)
	cmd.Dir = filepath.Join(root, k.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s in %s: %w\n%s", k.build, cmd.Dir, err, out)
	}
	return path, nil
}

// node is a running node.
type node struct {
	*process
	target probe.Target
	args   []string
}

// startNode starts a program in dir, on regtest or simnet and loopback, and returns when
// it answers.
func startNode(ctx context.Context, k kind, program, dir string, profile bool, network *chaincfg.Params, more []string) (*node, error) {
	n := &node{target: probe.Target{RPC: probe.RPC{User: "user", Pass: "pass"}}}
	var err error
	addr := func() string {
		a, e := freeAddr()
		if err == nil {
			err = e
		}
		return a
	}
	n.target.P2P, n.target.RPC.Addr = p2p.Node{Addr: addr(), Net: network.Net}, addr()
	n.args = []string{
		"--" + network.Name, "--datadir=" + filepath.Join(dir, "data"), "--logdir=" + filepath.Join(dir, "logs"),
		"--listen=" + n.target.P2P.Addr, "--rpclisten=" + n.target.RPC.Addr,
		"--rpcuser=user", "--rpcpass=pass", "--nodnsseed", "--debuglevel=warn",
	}
	if profile {
		n.target.Profile = addr()
		_, port, _ := net.SplitHostPort(n.target.Profile)
		n.args = append(n.args, "--profile="+port)
	}
	if err != nil {
		return nil, err
	}
	n.args = append(append(n.args, k.args...), more...)
	if n.process, err = startProcess(dir, program, n.args...); err != nil {
		return nil, err
	}
	n.target.PID = n.pid()
	if err := n.await(ctx, 0); err != nil {
		n.kill()
		return nil, err
	}
	return n, nil
}

// await waits until the node answers and has at least that height.
func (n *node) await(ctx context.Context, height int32) error {
	const patience = 90 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var has int32
		err := n.target.RPC.Call(ctx, &has, "getblockcount")
		if err == nil && has >= height {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("it has %d blocks of %d", has, height)
		}
		if n.exited() {
			return fmt.Errorf("the node has ended: %s", n.tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// freeAddr is a port of 127.0.0.1 that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
