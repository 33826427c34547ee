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
)

// groups are Core's, in the order of its help, and Debug, which is ours.
var groups = []string{"Blockchain", "Control", "Mining", "Network", "Debug"}

// All is the table, by group and name.
var All = []Command{
	{"getbestblockhash", "Blockchain", nil, "The hash of the best block."},
	{"getblock", "Blockchain", []Param{
		{Name: "blockhash", Kind: Text},
		{Name: "verbosity", Kind: Numeric, Also: Boolean, Optional: true},
	}, "A block: as hex with verbosity 0, as an object with 1 (the default), with its transactions with 2."},
	{"getblockchaininfo", "Blockchain", nil, "The state of the chain."},
	{"getblockcount", "Blockchain", nil, "The height of the best block."},
	{"getblockhash", "Blockchain", []Param{{Name: "height", Kind: Numeric}},
		"The hash of the block at a height of the best chain."},
	{"getblockheader", "Blockchain", []Param{
		{Name: "blockhash", Kind: Text},
		{Name: "verbose", Kind: Boolean, Optional: true},
	}, "A block header: an object, or hex when verbose is false."},
	{"help", "Control", []Param{{Name: "command", Kind: Text, Optional: true}},
		"All commands, or how to use one."},
	{"stop", "Control", nil, "Stop the node."},
	{"uptime", "Control", nil, "How many seconds the node has been running."},
	{"generatetoaddress", "Mining", []Param{
		{Name: "nblocks", Kind: Numeric},
		{Name: "address", Kind: Text},
		{Name: "maxtries", Kind: Numeric, Optional: true},
	}, "Mine blocks at once that pay to an address (regtest only); their hashes."},
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
		if p.Kind == Text {
			name = `"` + name + `"`
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
