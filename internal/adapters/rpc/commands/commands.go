// Package commands is the table of commands: their names, parameters and help. It
// knows nothing of a node, so that the client shares it.
package commands

import (
	"slices"
	"strings"
)

// Command is how one command is called.
type Command struct {
	Name, Group string
	Params      []Param
	About       string // one line
}

// Param describes one parameter of a command.
type Param struct {
	Name     string
	Kind     Kind
	Also     Kind // a second kind that is taken; "" if none
	Optional bool
}

// Kind is a type of JSON value, named as Core names it in errors.
type Kind string

// The kinds of parameters.
const (
	Boolean Kind = "bool"
	Numeric Kind = "number"
	Text    Kind = "string"
	Array   Kind = "array"
	Object  Kind = "object"
)

// groups are Core's, in the order of its help, and Debug, which is ours.
var groups = []string{"Blockchain", "Control", "Mining", "Network", "Rawtransactions", "Debug"}

// All is the table, by group and name.
var All = []Command{
	{"getbestblockhash", "Blockchain", nil, "The hash of the best block."},
	{"getblock", "Blockchain", []Param{
		{Name: "blockhash", Kind: Text},
		{Name: "verbosity", Kind: Numeric, Also: Boolean, Optional: true},
	}, "A block: as hex with verbosity 0, as an object with 1 (the default), with its transactions and their fees with 2, and what they spend with 3."},
	{"getblockchaininfo", "Blockchain", nil, "The state of the chain."},
	{"getblockcount", "Blockchain", nil, "The height of the best block."},
	{"getblockhash", "Blockchain", []Param{{Name: "height", Kind: Numeric}},
		"The hash of the block at a height of the best chain."},
	{"getblockheader", "Blockchain", []Param{
		{Name: "blockhash", Kind: Text},
		{Name: "verbose", Kind: Boolean, Optional: true},
	}, "A block header: an object, or hex when verbose is false."},
	{"getmempoolancestors", "Blockchain", []Param{
		{Name: "txid", Kind: Text},
		{Name: "verbose", Kind: Boolean, Optional: true},
	}, "The transactions in the pool that a transaction there depends on: their ids, or entries when verbose."},
	{"getmempooldescendants", "Blockchain", []Param{
		{Name: "txid", Kind: Text},
		{Name: "verbose", Kind: Boolean, Optional: true},
	}, "The transactions in the pool that depend on a transaction there: their ids, or entries when verbose."},
	{"getmempoolentry", "Blockchain", []Param{{Name: "txid", Kind: Text}},
		"What is known of a transaction in the pool."},
	{"getmempoolinfo", "Blockchain", nil, "The state of the pool of transactions."},
	{"getrawmempool", "Blockchain", []Param{
		{Name: "verbose", Kind: Boolean, Optional: true},
		{Name: "mempool_sequence", Kind: Boolean, Optional: true},
	}, "The transactions in the pool, parents first: their ids, with the pool's sequence if asked for, or entries when verbose."},
	{"gettxout", "Blockchain", []Param{
		{Name: "txid", Kind: Text},
		{Name: "n", Kind: Numeric},
		{Name: "include_mempool", Kind: Boolean, Optional: true},
	}, "An unspent output, or null; the pool counts unless include_mempool is false."},
	{"gettxspendingprevout", "Blockchain", []Param{{Name: "outputs", Kind: Array}},
		`For each output, as {"txid":"id","vout":n}, which transaction in the pool spends it.`},
	{"savemempool", "Blockchain", nil, "Write the pool to mempool.dat; the file's path."},
	{"help", "Control", []Param{{Name: "command", Kind: Text, Optional: true}},
		"All commands, or how to use one."},
	{"stop", "Control", nil, "Stop the node."},
	{"uptime", "Control", nil, "How many seconds the node has been running."},
	{"generateblock", "Mining", []Param{
		{Name: "output", Kind: Text},
		{Name: "transactions", Kind: Array},
		{Name: "submit", Kind: Boolean, Optional: true},
	}, "Mine a block at once that pays to an address or descriptor (addr, raw), with these transactions: ids of the pool, or hex (regtest only). With submit false it is returned and not submitted."},
	{"generatetoaddress", "Mining", []Param{
		{Name: "nblocks", Kind: Numeric},
		{Name: "address", Kind: Text},
		{Name: "maxtries", Kind: Numeric, Optional: true},
	}, "Mine blocks at once that pay to an address (regtest only); their hashes."},
	{"getblocktemplate", "Mining", []Param{{Name: "template_request", Kind: Object}},
		`What a new block on the best block needs (BIP22, BIP23, BIP145). The request must have {"rules":["segwit"]}; with longpollid the answer comes when there is something new. With {"mode":"proposal","data":"hex"} a block is judged that need not be solved: null, or why it would be rejected.`},
	{"prioritisetransaction", "Mining", []Param{
		{Name: "txid", Kind: Text},
		{Name: "dummy", Kind: Numeric, Optional: true},
		{Name: "fee_delta", Kind: Numeric},
	}, "Count a transaction in the pool with a higher or lower fee; fee_delta is in satoshi, and dummy is 0 or null."},
	{"submitblock", "Mining", []Param{
		{Name: "hexdata", Kind: Text},
		{Name: "dummy", Kind: Text, Optional: true},
	}, "Offer a block; null when it was accepted, else why not (BIP22)."},
	{"addnode", "Network", []Param{
		{Name: "node", Kind: Text},
		{Name: "command", Kind: Text},
		{Name: "v2transport", Kind: Boolean, Optional: true},
	}, `Connect to a node and keep the connection ("add"), no longer keep it ("remove"), or try once ("onetry").`},
	{"disconnectnode", "Network", []Param{
		{Name: "address", Kind: Text, Optional: true},
		{Name: "nodeid", Kind: Numeric, Optional: true},
	}, "End the connection to an address or to a peer's id."},
	{"getconnectioncount", "Network", nil, "The number of connections."},
	{"getnetworkinfo", "Network", nil, "The state of the network."},
	{"getpeerinfo", "Network", nil, "All that is known of each connection."},
	{"decoderawtransaction", "Rawtransactions", []Param{
		{Name: "hexstring", Kind: Text},
		{Name: "iswitness", Kind: Boolean, Optional: true},
	}, "A transaction in hex as an object; iswitness says how it is serialized where that is not clear."},
	{"decodescript", "Rawtransactions", []Param{{Name: "hexstring", Kind: Text}},
		"A script in hex as an object, with the addresses that pay to it."},
	{"getrawtransaction", "Rawtransactions", []Param{
		{Name: "txid", Kind: Text},
		{Name: "verbosity", Kind: Numeric, Also: Boolean, Optional: true},
		{Name: "blockhash", Kind: Text, Optional: true},
	}, "A transaction of the pool, or of the block with that hash: as hex with verbosity 0 (the default), as an object with 1, with its fee and what it spends with 2 (of a block only)."},
	{"sendrawtransaction", "Rawtransactions", []Param{
		{Name: "hexstring", Kind: Text},
		{Name: "maxfeerate", Kind: Numeric, Also: Text, Optional: true},
		{Name: "maxburnamount", Kind: Numeric, Also: Text, Optional: true},
	}, "Take a transaction into the pool and relay it; its id. maxfeerate is in BTC/kvB (0.10 by default, 0: any), maxburnamount in BTC (0)."},
	{"testmempoolaccept", "Rawtransactions", []Param{
		{Name: "rawtxs", Kind: Array},
		{Name: "maxfeerate", Kind: Numeric, Also: Text, Optional: true},
	}, "Whether the pool would take transactions, each judged by itself: one that spends what another one of them makes is not judged."},
	{"getmailboxes", "Debug", nil, "For each cell of this node: inputs queued per lane, age of the oldest, done and refused."},
	{"getstatus", "Debug", nil, "What the sync, the server and the relay are doing."},
	{"getwaitgraph", "Debug", nil, "What waits for what: what each cell is doing, the questions without an answer, and the waits between components."},
}

// Find returns a command by its name, or nil.
func Find(name string) *Command {
	if i := slices.IndexFunc(All, func(c Command) bool { return c.Name == name }); i >= 0 {
		return &All[i]
	}
	return nil
}

// Usage is how the command is called: getblock "blockhash" ( verbosity ).
func (c *Command) Usage() string {
	var b strings.Builder
	b.WriteString(c.Name)
	for _, p := range c.Params {
		name := p.Name
		switch p.Kind {
		case Text:
			name = `"` + name + `"`
		case Array:
			name = "[" + name + ",...]"
		case Object:
			name = "{" + name + "}"
		}
		if p.Optional {
			name = "( " + name + " )"
		}
		b.WriteString(" " + name)
	}
	return b.String()
}

// Help is the usage and what the command is about.
func (c *Command) Help() string { return c.Usage() + "\n\n" + c.About + "\n" }

// Help lists the usages by group.
func Help() string {
	var parts []string
	for _, g := range groups {
		lines := []string{"== " + g + " =="}
		for _, c := range All {
			if c.Group == g {
				lines = append(lines, c.Usage())
			}
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// IsText says whether the i-th argument of a command is a string, so that a
// client sends it as it was typed. All others are JSON. Arguments of commands
// that are not known here are strings, as in bitcoin-cli.
func IsText(method string, i int) bool {
	c := Find(method)
	return c == nil || i < 0 || i >= len(c.Params) || c.Params[i].Kind == Text
}

// ParamIndex returns the position of a named parameter, or -1.
func ParamIndex(method, name string) int {
	c := Find(method)
	if c == nil {
		return -1
	}
	return slices.IndexFunc(c.Params, func(p Param) bool { return p.Name == name })
}
