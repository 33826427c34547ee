package harness

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/nodes"
)

// Options say how a node is started. If Dir is empty, the node gets a directory
// of the test.
type Options = nodes.Options

// Node is a running node, btcd or this one. Its methods fail the test if the
// node refuses or has ended.
type Node struct {
	*Process
	RPC     nodes.RPC
	P2P     string // where it listens for peers
	Opts    Options
	program nodes.Program
}

// Btcd starts btcd and returns when it answers.
func Btcd(t testing.TB, o Options) *Node {
	t.Helper()
	return start(t, nodes.Btcd, o)
}

// Start starts "btcd" or "acyclicd" and returns when it answers.
func Start(t testing.TB, program string, o Options) *Node {
	t.Helper()
	for _, p := range []nodes.Program{nodes.Btcd, nodes.Acyclic} {
		if p.Name == program {
			return start(t, p, o)
		}
	}
	t.Fatalf("harness: no program %q", program)
	return nil
}

func start(t testing.TB, p nodes.Program, o Options) *Node {
	t.Helper()
	file := binary(t, p)
	if o.Dir == "" {
		o.Dir = Dir(t, cmp.Or(o.Name, p.Name))
	}
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	n, err := p.Start(ctx, file, o)
	if err != nil {
		t.Fatal(err)
	}
	n.RPC.Timeout = 20 * time.Second
	return &Node{own(t, n.Process), n.RPC, n.P2P, n.Opts, p}
}

// Again starts the node again after it has ended, with the same directory and
// addresses. The change to its options may be nil. (btcd begins a new regtest
// chain at each start.)
func (n *Node) Again(change func(*Options)) *Node {
	n.t.Helper()
	if !n.Exited() {
		n.t.Fatalf("%s still runs", n.Name)
	}
	o := n.Opts
	if change != nil {
		change(&o)
	}
	return start(n.t, n.program, o)
}

// Stop ends the node by SIGTERM. The test fails if the exit status is not 0.
func (n *Node) Stop() {
	n.t.Helper()
	n.Signal(syscall.SIGTERM)
	if status := n.Wait(Patience); status != 0 {
		n.t.Fatalf("%s ended with status %d after SIGTERM", n.Name, status)
	}
}

// Call asks by RPC. A refusal fails the test.
func (n *Node) Call(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.RPC.Call(n.t.Context(), result, method, params...); err != nil {
		n.t.Fatalf("%s: %v", n.Name, err)
	}
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

// Blocks returns the blocks of the best chain from height 1 on.
func (n *Node) Blocks() []*wire.MsgBlock {
	n.t.Helper()
	var blocks []*wire.MsgBlock
	for height := int32(1); height <= n.Height(); height++ {
		blocks = append(blocks, n.Block(n.HashAt(height)))
	}
	return blocks
}

// Peers returns the number of connections that have shaken hands.
func (n *Node) Peers() (peers int) {
	n.t.Helper()
	n.Call(&peers, "getconnectioncount")
	return peers
}

// Generate mines blocks to the address MineTo.
func (n *Node) Generate(blocks int) {
	n.t.Helper()
	if n.program.Name == nodes.Btcd.Name {
		n.Call(nil, "generate", blocks)
		return
	}
	n.Call(nil, "generatetoaddress", blocks, n.Opts.MineTo)
}

// SubmitBlock gives the node a block by RPC. The node must accept it.
func (n *Node) SubmitBlock(block *wire.MsgBlock) {
	n.t.Helper()
	var refusal *string
	n.Call(&refusal, "submitblock", nodes.Hex(block))
	if refusal != nil && *refusal != "inconclusive" { // BIP22: valid, on a side branch
		n.t.Fatalf("%s: submitblock %v: %s", n.Name, block.BlockHash(), *refusal)
	}
}

// Invalidate makes btcd treat a block as invalid.
func (n *Node) Invalidate(hash chainhash.Hash) {
	n.t.Helper()
	n.Call(nil, "invalidateblock", hash.String())
}

// SendTx gives the node a transaction by RPC.
func (n *Node) SendTx(tx *wire.MsgTx) {
	n.t.Helper()
	n.Call(nil, "sendrawtransaction", nodes.Hex(tx))
}

// AddNode makes the node dial a peer and keep the connection.
func (n *Node) AddNode(addr string) {
	n.t.Helper()
	n.Call(nil, "addnode", addr, "add")
}

// Await waits until the tip is the node's best block.
func (n *Node) Await(tip chainhash.Hash, deadline time.Duration) {
	n.t.Helper()
	Eventually(n.t, deadline, n.Name+" has "+tip.String()+" as its best block", func() (bool, string) {
		info := n.Info()
		return info.BestBlockHash == tip.String(), fmt.Sprintf("%+v", info)
	})
}

func (n *Node) parse(hash string) chainhash.Hash {
	n.t.Helper()
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil {
		n.t.Fatalf("%s: %q is not a hash", n.Name, hash)
	}
	return *h
}
