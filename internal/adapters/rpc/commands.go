package rpc

import (
	"slices"
	"strings"
)

// command is one entry of the table.
type command struct {
	name, group string
	params      []param
	about       string // one line
	run         func(*call, arguments) (any, error)
}

// groups are Core's, in the order of its help, and Debug, which is ours.
var groups = []string{"Blockchain", "Control", "Mining", "Network", "Debug"}

// commands is the table of all commands, by name. It is filled by init because
// help, one of them, reads it.
var commands map[string]*command

func init() {
	commands = map[string]*command{}
	for _, c := range []command{
		{"getbestblockhash", "Blockchain", nil, "The hash of the best block.", getBestBlockHash},
		{"getblock", "Blockchain", []param{
			{name: "blockhash", kind: text},
			{name: "verbosity", kind: numeric, also: boolean, optional: true},
		}, "A block: as hex with verbosity 0, as an object with 1 (the default), with its transactions with 2.", getBlock},
		{"getblockchaininfo", "Blockchain", nil, "The state of the chain.", getBlockchainInfo},
		{"getblockcount", "Blockchain", nil, "The height of the best block.", getBlockCount},
		{"getblockhash", "Blockchain", []param{{name: "height", kind: numeric}},
			"The hash of the block at a height of the best chain.", getBlockHash},
		{"getblockheader", "Blockchain", []param{
			{name: "blockhash", kind: text},
			{name: "verbose", kind: boolean, optional: true},
		}, "A block header: an object, or hex when verbose is false.", getBlockHeader},
		{"help", "Control", []param{{name: "command", kind: text, optional: true}},
			"All commands, or how to use one.", help},
		{"stop", "Control", nil, "Stop the node.", stop},
		{"uptime", "Control", nil, "How many seconds the node has been running.", uptime},
		{"generatetoaddress", "Mining", []param{
			{name: "nblocks", kind: numeric},
			{name: "address", kind: text},
			{name: "maxtries", kind: numeric, optional: true},
		}, "Mine blocks at once that pay to an address (regtest only); their hashes.", generateToAddress},
		{"submitblock", "Mining", []param{
			{name: "hexdata", kind: text},
			{name: "dummy", kind: text, optional: true},
		}, "Offer a block; null when it was accepted, else why not (BIP22).", submitBlock},
		{"addnode", "Network", []param{
			{name: "node", kind: text},
			{name: "command", kind: text},
			{name: "v2transport", kind: boolean, optional: true},
		}, `Connect to a node and keep the connection ("add"), no longer keep it ("remove"), or try once ("onetry").`, addNode},
		{"disconnectnode", "Network", []param{
			{name: "address", kind: text, optional: true},
			{name: "nodeid", kind: numeric, optional: true},
		}, "End the connection to an address or to a peer's id.", disconnectNode},
		{"getconnectioncount", "Network", nil, "The number of connections.", getConnectionCount},
		{"getnetworkinfo", "Network", nil, "The state of the network.", getNetworkInfo},
		{"getpeerinfo", "Network", nil, "All that is known of each connection.", getPeerInfo},
		{"getmailboxes", "Debug", nil, "For each cell of this node: inputs queued per lane, age of the oldest, done and refused.", getMailboxes},
		{"getwaitgraph", "Debug", nil, "Who waits for whom: what each cell is doing, the questions without an answer, and the waits between components.", getWaitGraph},
		{"getstatus", "Debug", nil, "What the sync, the server and the relay are doing.", getStatus},
	} {
		commands[c.name] = &c
	}
}

// usage is how a command is called: getblock "blockhash" ( verbosity ).
func (c *command) usage() string {
	var b strings.Builder
	b.WriteString(c.name)
	for _, p := range c.params {
		name := p.name
		if p.kind == text {
			name = `"` + name + `"`
		}
		if p.optional {
			name = "( " + name + " )"
		}
		b.WriteString(" " + name)
	}
	return b.String()
}

func (c *command) help() string { return c.usage() + "\n\n" + c.about + "\n" }

// helpAll lists the usages by group.
func helpAll() string {
	var parts []string
	for _, g := range groups {
		lines := []string{"== " + g + " =="}
		for _, name := range Commands() {
			if commands[name].group == g {
				lines = append(lines, commands[name].usage())
			}
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// Commands returns the names of all commands, sorted.
func Commands() []string {
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TextParam says whether the i-th argument of a command is a string, so that a
// client sends it as it was typed; all others are JSON. Arguments of commands
// that are not known here are strings, as in bitcoin-cli.
func TextParam(method string, i int) bool {
	c := commands[method]
	return c == nil || i < 0 || i >= len(c.params) || c.params[i].kind == text
}

// ParamIndex returns the position of a named parameter, or -1.
func ParamIndex(method, name string) int {
	c := commands[method]
	if c == nil {
		return -1
	}
	return slices.IndexFunc(c.params, func(p param) bool { return p.name == name })
}
