package harness

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Options say how a node is started.
type Options struct {
	Name    string   // in logs; "": the program's name
	Network string   // the option that names it; "": regtest
	Connect []string // the only peers it dials
	// MineTo is the address that Generate pays to; needed for Generate.
	MineTo string
	Cookie bool     // our node only: no user and password, clients read the cookie
	Args   []string // further arguments
	Stderr *os.File // where standard error goes instead of Process.Stderr; nil: there

	// Dir, P2P and RPC are chosen when they are empty. A node that is started
	// again has those of the one before.
	Dir, P2P, RPC string
}

// Node is a running node: btcd or ours. Methods fail the test when the node
// does not do what is asked or is no more.
type Node struct {
	*Process
	RPC  RPC
	P2P  string // where it listens for peers
	Opts Options
	kind kind
}

// kind is what differs between the two programs.
type kind struct {
	name     string
	binary   func(testing.TB) string
	args     func(Options) []string // the network and what the other does not take
	generate func(n *Node, blocks int) ([]string, error)
}

var btcd = kind{
	name:   "btcd",
	binary: BtcdBinary,
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
	generate: func(n *Node, blocks int) (hashes []string, err error) {
		return hashes, n.RPC.Call(&hashes, "generate", blocks)
	},
}

var acyclic = kind{
	name:   "acyclicd",
	binary: AcyclicBinary,
	args:   func(o Options) []string { return []string{"--" + o.Network} },
	generate: func(n *Node, blocks int) (hashes []string, err error) {
		return hashes, n.RPC.Call(&hashes, "generatetoaddress", blocks, n.Opts.MineTo)
	},
}

// Btcd starts btcd and returns when it answers.
func Btcd(t testing.TB, o Options) *Node {
	t.Helper()
	return start(t, btcd, o)
}

// Acyclic starts this node and returns when it answers.
func Acyclic(t testing.TB, o Options) *Node {
	t.Helper()
	return start(t, acyclic, o)
}

// Start starts either, for tests that run with both: program is "btcd" or
// "acyclicd".
func Start(t testing.TB, program string, o Options) *Node {
	t.Helper()
	for _, k := range []kind{btcd, acyclic} {
		if k.name == program {
			return start(t, k, o)
		}
	}
	t.Fatalf("harness: no program %q", program)
	return nil
}

func start(t testing.TB, k kind, o Options) *Node {
	t.Helper()
	program := k.binary(t)
	if o.Name == "" {
		o.Name = k.name
	}
	if o.Network == "" {
		o.Network = "regtest"
	}
	if o.Dir == "" {
		o.Dir = Dir(t, o.Name)
	}
	for try := 1; ; try++ {
		full := o
		if full.P2P == "" {
			full.P2P = FreeAddr(t)
		}
		if full.RPC == "" {
			full.RPC = FreeAddr(t)
		}
		n := &Node{
			RPC:  RPC{Addr: full.RPC, User: "user", Pass: "pass"},
			P2P:  full.P2P,
			Opts: full,
			kind: k,
		}
		if full.Cookie {
			n.RPC.Cookie = filepath.Join(full.Dir, "data", full.Network, ".cookie")
		}
		n.Process = run(t, o.Stderr, o.Name, o.Dir, program, append(Args(full), k.args(full)...)...)
		if n.awaitReady() {
			return n
		}
		// Another program may have taken the port since we chose it.
		chosen := o.P2P == "" && o.RPC == ""
		if try == 3 || !chosen || !strings.Contains(n.tail(), "in use") {
			t.Fatalf("%s ended at the start, with status %d:\n%s", n.Name, n.Wait(0), n.tail())
		}
	}
}

// Args are the arguments that both programs take, without the network.
func Args(o Options) []string {
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

// awaitReady waits until the node answers, and says whether it did: false means
// that it ended.
func (n *Node) awaitReady() bool {
	n.t.Helper()
	rpc := n.RPC
	rpc.Timeout = 2 * time.Second
	Eventually(n.t, Patience, n.Name+" answers", func() (bool, string) {
		var height int32
		err := rpc.Call(&height, "getblockcount")
		return err == nil || n.Exited(), errText(err)
	})
	return !n.Exited()
}

// Again starts the node again in the same place after it has ended. The change
// to its options may be nil. (btcd begins a new regtest chain at each start.)
func (n *Node) Again(change func(*Options)) *Node {
	n.t.Helper()
	if !n.Exited() {
		n.t.Fatalf("%s still runs", n.Name)
	}
	o := n.Opts
	if change != nil {
		change(&o)
	}
	return start(n.t, n.kind, o)
}

// Stop ends it by SIGTERM and fails the test when the exit status is not 0.
func (n *Node) Stop() {
	n.t.Helper()
	n.Signal(syscall.SIGTERM)
	if status := n.Wait(Patience); status != 0 {
		n.t.Fatalf("%s ended with status %d after SIGTERM", n.Name, status)
	}
}

// Call asks by RPC; a refusal fails the test.
func (n *Node) Call(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.RPC.Call(result, method, params...); err != nil {
		n.t.Fatalf("%s: %s: %v%s", n.Name, method, err, n.end())
	}
}

func (n *Node) end() string {
	if n.Exited() {
		return " (" + n.cmd.ProcessState.String() + ")"
	}
	return ""
}

// ChainInfo is the part of getblockchaininfo that tests look at.
type ChainInfo struct {
	Chain         string `json:"chain"`
	Blocks        int32  `json:"blocks"`
	Headers       int32  `json:"headers"`
	BestBlockHash string `json:"bestblockhash"`
}

// Info returns getblockchaininfo.
func (n *Node) Info() (info ChainInfo) {
	n.t.Helper()
	n.Call(&info, "getblockchaininfo")
	return info
}

// Height returns the height of the best block.
func (n *Node) Height() (height int32) {
	n.t.Helper()
	n.Call(&height, "getblockcount")
	return height
}

// BestHash returns the hash of the best block.
func (n *Node) BestHash() chainhash.Hash {
	n.t.Helper()
	var hash string
	n.Call(&hash, "getbestblockhash")
	return n.parse(hash)
}

// HashAt returns the hash at a height of the best chain.
func (n *Node) HashAt(height int32) chainhash.Hash {
	n.t.Helper()
	var hash string
	n.Call(&hash, "getblockhash", height)
	return n.parse(hash)
}

// Block returns a block of the best chain.
func (n *Node) Block(hash chainhash.Hash) *wire.MsgBlock {
	n.t.Helper()
	var text string
	n.Call(&text, "getblock", hash.String(), 0)
	raw, err := hex.DecodeString(text)
	block := new(wire.MsgBlock)
	if err == nil {
		err = block.Deserialize(bytes.NewReader(raw))
	}
	if err != nil {
		n.t.Fatalf("%s: getblock %v: %v", n.Name, hash, err)
	}
	return block
}

// Blocks returns the best chain from the block of height 1 on.
func (n *Node) Blocks() []*wire.MsgBlock {
	n.t.Helper()
	var blocks []*wire.MsgBlock
	for height := int32(1); height <= n.Height(); height++ {
		blocks = append(blocks, n.Block(n.HashAt(height)))
	}
	return blocks
}

// Peers returns the number of connections whose handshake is done.
func (n *Node) Peers() (peers int) {
	n.t.Helper()
	n.Call(&peers, "getconnectioncount")
	return peers
}

// Generate mines blocks to the address MineTo.
func (n *Node) Generate(blocks int) {
	n.t.Helper()
	if _, err := n.kind.generate(n, blocks); err != nil {
		n.t.Fatalf("%s: cannot mine: %v%s", n.Name, err, n.end())
	}
}

// SubmitBlock gives it a block by RPC, which it must accept.
func (n *Node) SubmitBlock(block *wire.MsgBlock) {
	n.t.Helper()
	var raw bytes.Buffer
	if err := block.Serialize(&raw); err != nil {
		n.t.Fatal(err)
	}
	var refusal *string
	n.Call(&refusal, "submitblock", hex.EncodeToString(raw.Bytes()))
	if refusal != nil && *refusal != "inconclusive" { // BIP22: valid, on a side branch
		n.t.Fatalf("%s: submitblock %v: %s", n.Name, block.BlockHash(), *refusal)
	}
}

// Invalidate has btcd treat a block as invalid.
func (n *Node) Invalidate(hash chainhash.Hash) {
	n.t.Helper()
	n.Call(nil, "invalidateblock", hash.String())
}

// SendTx gives it a transaction by RPC.
func (n *Node) SendTx(tx *wire.MsgTx) {
	n.t.Helper()
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		n.t.Fatal(err)
	}
	n.Call(nil, "sendrawtransaction", hex.EncodeToString(raw.Bytes()))
}

// AddNode has it dial a peer and keep the connection.
func (n *Node) AddNode(addr string) {
	n.t.Helper()
	n.Call(nil, "addnode", addr, "add")
}

// Await waits until its best block is the given one.
func (n *Node) Await(tip chainhash.Hash, deadline time.Duration) {
	n.t.Helper()
	Eventually(n.t, deadline, n.Name+" has "+tip.String()+" as its best block", func() (bool, string) {
		info := n.Info()
		return info.BestBlockHash == tip.String(),
			info.BestBlockHash + " at " + itoa(info.Blocks) + ", headers to " + itoa(info.Headers)
	})
}

func (n *Node) parse(hash string) chainhash.Hash {
	n.t.Helper()
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil {
		n.t.Fatalf("%s: %q is no hash", n.Name, hash)
	}
	return *h
}
