package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/cmd/stormlab/dump"
	"acyclic/cmd/stormlab/probe"
	"acyclic/integration/nodes"
	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// ours is the name of this node.
const ours = "acyclicd"

// kind is a program that the lab can storm.
type kind struct {
	nodes.Program
	name  string
	dir   string            // the folder below the module's root whose go.mod pins it
	lacks map[string]string // storms that it cannot be put under, and why
}

// kinds are the programs, in the order in which they are stormed.
var kinds = []kind{
	{Program: nodes.Btcd, name: "btcd-v0.24.2", dir: "cmd/stormlab/btcd0242", lacks: noCap},
	{Program: nodes.Btcd, name: "btcd-v0.26.2", lacks: noCap},
	{Program: nodes.Acyclic, name: ours},
}

// noCap is what btcd lacks.
var noCap = map[string]string{"pool": "btcd has no cap on its pool (--maxmempool)."}

// moduleRoot is the folder of go.mod. The lab must run within the module.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Module.Dir}}", "acyclic/cmd/stormlab").Output()
	if err != nil {
		return "", fmt.Errorf("run stormlab from within the module acyclic: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// node is a running node.
type node struct {
	*nodes.Node
	target probe.Target
}

// startNode starts a program in dir on loopback and returns when it answers.
func startNode(ctx context.Context, k kind, file, dir string, profile bool, network *chaincfg.Params, more []string) (*node, error) {
	n := &node{}
	args := []string{"--debuglevel=warn"}
	if profile {
		addr, err := nodes.FreeAddr()
		if err != nil {
			return nil, err
		}
		n.target.Profile = addr
		_, port, _ := net.SplitHostPort(addr)
		args = append(args, "--profile="+port)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	n.Node, err = k.Start(ctx, file, nodes.Options{Name: k.name, Network: network.Name, Dir: dir, Args: append(args, more...)})
	if err != nil {
		return nil, err
	}
	n.target.Process, n.target.RPC, n.target.P2P = n.Process, n.RPC, p2p.Node{Addr: n.P2P, Net: network.Net}
	return n, nil
}

// patience is how long a node may take to start, and to accept its first chain.
const patience = 90 * time.Second

// await waits until the chain of the node has at least that height.
func (n *node) await(ctx context.Context, height int32) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return n.Await(ctx, height)
}

// interrupt sends SIGINT and returns how long the end took. It returns false if
// the end did not come within the bound.
func (n *node) interrupt(bound time.Duration) (took time.Duration, ok bool) {
	begun := time.Now()
	n.Signal(syscall.SIGINT)
	ok = n.Within(bound)
	return time.Since(begun), ok
}

// report makes this node print its wait-for report and returns it, or "" if the
// report does not come within the bound.
func (n *node) report(ctx context.Context, bound time.Duration) (report string) {
	before := len(n.Stderr())
	n.Signal(syscall.SIGQUIT)
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	wait.Until(ctx, func() (ok bool, _ string) {
		out := n.Stderr()
		out = out[min(before, len(out)):]
		if _, ok = dump.Own(out); ok {
			report = out
		}
		return ok || n.Exited(), ""
	})
	return report
}
