package nodes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"acyclic/integration/wait"
)

// Program is a program that runs as a node.
type Program struct {
	Name   string
	Import string // what to Build
	args   func(Options) []string
}

// Btcd needs some options to be as quiet and as lenient as this node.
var Btcd = Program{
	Name:   "btcd",
	Import: "github.com/btcsuite/btcd",
	args: func(o Options) []string {
		args := []string{"--notls", "--nobanning", "--debuglevel=MINR=warn", "--configfile=" + os.DevNull}
		if o.Network != "mainnet" { // btcd's default, without an option
			args = append(args, "--"+o.Network)
		}
		if o.MineTo != "" {
			args = append(args, "--miningaddr="+o.MineTo)
		}
		return args
	},
}

// Acyclic is this node.
var Acyclic = Program{
	Name:   "acyclicd",
	Import: "acyclic/cmd/acyclicd",
	args:   func(o Options) []string { return []string{"--" + o.Network} },
}

// Options say how a node is started.
type Options struct {
	Name    string   // in logs; empty: the program's
	Network string   // as in the option that chooses it; empty: regtest
	Connect []string // the only peers that it dials
	MineTo  string   // the address that mined blocks pay to
	Cookie  bool     // this node only: no user and password, clients read the cookie
	Args    []string // further arguments
	Stderr  *os.File // where standard error goes; nil: to Process.Stderr

	// Dir is the node's directory. P2P and RPC are the addresses that it listens
	// on; empty: Start chooses them.
	Dir, P2P, RPC string
}

// Node is a running node.
type Node struct {
	*Process
	RPC  RPC
	P2P  string // where it listens for peers
	Opts Options
}

// Start runs the program as a node and returns when it answers.
func (p Program) Start(ctx context.Context, file string, o Options) (*Node, error) {
	for try := 1; ; try++ {
		n, err := p.start(ctx, file, o)
		chosen := o.P2P == "" && o.RPC == ""
		if err == nil || try == 3 || !chosen || !strings.Contains(err.Error(), "in use") {
			return n, err
		}
		// Another program has taken a port since FreeAddr chose it.
	}
}

func (p Program) start(ctx context.Context, file string, o Options) (_ *Node, err error) {
	if o.Name == "" {
		o.Name = p.Name
	}
	if o.Network == "" {
		o.Network = "regtest"
	}
	for _, addr := range []*string{&o.P2P, &o.RPC} {
		if *addr != "" {
			continue
		}
		if *addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	n := &Node{RPC: RPC{Addr: o.RPC, User: "user", Pass: "pass"}, P2P: o.P2P, Opts: o}
	if o.Cookie {
		n.RPC.Cookie = filepath.Join(o.Dir, "data", o.Network, ".cookie")
	}
	if n.Process, err = Run(o.Name, o.Dir, o.Stderr, file, append(p.args(o), common(o)...)...); err != nil {
		return nil, err
	}
	if err := n.Await(ctx, 0); err != nil {
		n.Kill()
		return nil, err
	}
	return n, nil
}

// common are the arguments that both programs take.
func common(o Options) []string {
	args := []string{
		"--datadir=" + o.Dir + "/data", "--logdir=" + o.Dir + "/logs",
		"--listen=" + o.P2P, "--rpclisten=" + o.RPC, "--nodnsseed",
	}
	if !o.Cookie {
		args = append(args, "--rpcuser=user", "--rpcpass=pass")
	}
	for _, addr := range o.Connect {
		args = append(args, "--connect="+addr)
	}
	return append(args, o.Args...)
}

// Await waits until the node answers and has a chain of at least that height.
func (n *Node) Await(ctx context.Context, height int32) error {
	var has int32
	var err error
	late := wait.Until(ctx, func() (bool, string) {
		err = n.RPC.Call(ctx, &has, "getblockcount")
		return err == nil && has >= height || n.Exited(), fmt.Sprintf("%d blocks, error %v", has, err)
	})
	switch {
	case n.Exited():
		return fmt.Errorf("%s has ended: %s", n.Name, n.Tail())
	case late != nil:
		return fmt.Errorf("%s does not have %d blocks; %w\n%s", n.Name, height, late, n.Tail())
	}
	return nil
}
