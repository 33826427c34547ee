package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/adapters/logging"
	"acyclic/server"
)

// The ranges of options that are numbers.
const (
	maxMaxPeers     = 10_000 // a connection is a file and some 100 kB
	maxUtxoCacheMiB = 1 << 20
	minPruneMiB     = 1536 // btcd's: the blocks that a reorganisation may need
	maxPruneMiB     = 1 << 30
)

// valueOption is an option that has a value, and what is right for it.
type valueOption struct {
	name  string
	one   *string
	many  *[]string
	check func(string) error // the error completes the line "name=value: "
}

func (o valueOption) values() *[]string {
	if o.many != nil {
		return o.many
	}
	if *o.one == "" {
		return new([]string)
	}
	return &[]string{*o.one}
}

// valueOptions lists the options with values.
func valueOptions(o *options) []valueOption {
	return []valueOption{
		{name: "datadir", one: &o.DataDir, check: isDir},
		{name: "logdir", one: &o.LogDir, check: isDir},
		{name: "configfile", one: &o.ConfigFile, check: isSaid("want the path of an ini file")},
		{name: "listen", many: &o.Listen, check: isListenAddr},
		{name: "connect", many: &o.Connect, check: isPeerAddr},
		{name: "addpeer", many: &o.AddPeer, check: isPeerAddr},
		{name: "maxpeers", one: &o.MaxPeers, check: inRange(1, maxMaxPeers)},
		{name: "uacomment", many: &o.UAComment, check: isComment},
		{name: "addcheckpoint", many: &o.AddCheckpoint, check: isCheckpoint},
		{name: "utxocachemaxsize", one: &o.UtxoCacheMaxSize, check: inRange(0, maxUtxoCacheMiB)},
		{name: "prune", one: &o.Prune, check: isPrune},
		{name: "debuglevel", one: &o.DebugLevel, check: isLevels},
		{name: "logformat", one: &o.LogFormat, check: isFormat},
		{name: "rpclisten", many: &o.RPCListen, check: isListenAddr},
		{name: "rpcuser", one: &o.RPCUser, check: isUser},
		{name: "rpcpass", one: &o.RPCPass, check: isSaid("want a password")},
		{name: "profile", one: &o.Profile, check: inRange(1024, 65535)},
	}
}

// check looks at each value by itself; dashes and place say how the user wrote
// it and where, said whether he named the option: a value that he left empty is
// wrong everywhere, often a variable of the shell that is not set.
func check(o *options, dashes string, said func(name string) bool, place func(name, value string) string) error {
	for _, opt := range valueOptions(o) {
		values := *opt.values()
		if len(values) == 0 && said(opt.name) {
			values = []string{""}
		}
		for _, v := range values {
			if err := opt.check(v); err != nil {
				return usage("%s%s%s=%s: %v", place(opt.name, v), dashes, opt.name, quote(v), err)
			}
		}
	}
	return nil
}

// quote shows a value as it is, or quoted where that would be unclear.
func quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return r == ' ' || r == '"' || !strconv.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}

func inRange(low, high uint64) func(string) error {
	return func(s string) error {
		if n, err := strconv.ParseUint(s, 10, 64); err != nil || n < low || n > high {
			return fmt.Errorf("want a whole number from %d to %d", low, high)
		}
		return nil
	}
}

// number reads a value that has been checked.
func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic("config: unchecked number " + s)
	}
	return n
}

func isPrune(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n != 0 && n < minPruneMiB || n > maxPruneMiB {
		return fmt.Errorf("want 0, to keep all blocks, or a whole number of MiB from %d to %d", minPruneMiB, maxPruneMiB)
	}
	return nil
}

func isSaid(want string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New(want)
		}
		return nil
	}
}

func isDir(s string) error {
	if s == "" {
		return fmt.Errorf("want the path of a directory")
	}
	info, err := os.Stat(Expand(s))
	if err == nil && !info.IsDir() {
		return fmt.Errorf("want a directory, this is a file")
	}
	return nil
}

// split cuts host:port; where there is no port it returns "".
func split(s string) (host, port string, ok bool) {
	if host, port, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		return host, port, err == nil && n > 0
	}
	host = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if strings.Contains(host, ":") {
		_, err := netip.ParseAddr(host)
		return host, "", err == nil
	}
	return host, "", true
}

func isIP(s string) bool { _, err := netip.ParseAddr(s); return err == nil }

func isListenAddr(s string) error {
	host, port, ok := split(s)
	if !ok || host == "" && port == "" || host != "" && host != "localhost" && !isIP(host) {
		return fmt.Errorf("want an IP address of this machine with or without a port, as in 127.0.0.1:18444, [::1]:18444 or :18444")
	}
	return nil
}

func isPeerAddr(s string) error {
	if !server.ValidAddr(s) {
		return fmt.Errorf("want a host with or without a port, as in 192.0.2.1, [2001:db8::1]:18333 or node.example.org:18333")
	}
	return nil
}

// isComment is BIP14's rule, and btcd's.
func isComment(s string) error {
	bad := func(r rune) bool { return strings.ContainsRune("/:()", r) || r < ' ' || r > '~' }
	if s == "" || strings.ContainsFunc(s, bad) {
		return fmt.Errorf("want printable ASCII without / : ( )")
	}
	return nil
}

func isCheckpoint(s string) error { _, err := parseCheckpoint(s); return err }

func parseCheckpoint(s string) (chaincfg.Checkpoint, error) {
	wrong := fmt.Errorf("want HEIGHT:HASH, as in 546:000000002a936ca763904c3c35fce2f3556c559c0214345d31b1bcebf76acb70")
	h, x, ok := strings.Cut(s, ":")
	height, err := strconv.ParseInt(h, 10, 32)
	if !ok || err != nil || height < 0 || len(x) != chainhash.MaxHashStringSize {
		return chaincfg.Checkpoint{}, wrong
	}
	hash, err := chainhash.NewHashFromStr(x)
	if err != nil {
		return chaincfg.Checkpoint{}, wrong
	}
	return chaincfg.Checkpoint{Height: int32(height), Hash: hash}, nil
}

func isLevels(s string) error {
	if s == "show" {
		return nil
	}
	_, err := logging.ParseLevels(s)
	return err
}

var formats = map[string]logging.Format{"text": logging.Text, "json": logging.JSON}

func isFormat(s string) error {
	if _, ok := formats[s]; !ok {
		return fmt.Errorf("want text or json")
	}
	return nil
}

// checkPorts looks for two services on one port of this machine.
func (c *Config) checkPorts(o *options) error {
	type service struct{ option, addr string }
	var all []service
	add := func(option string, addrs []string, byDefault bool) {
		for _, addr := range addrs {
			said := option + "=" + addr
			if byDefault {
				said += " (the default)"
			}
			all = append(all, service{said, addr})
		}
	}
	add("--listen", c.Listen, len(o.Listen) == 0)
	add("--rpclisten", c.RPCListen, len(o.RPCListen) == 0)
	if c.ProfileAddr != "" {
		all = append(all, service{"--profile=" + o.Profile, c.ProfileAddr})
	}
	for i, b := range all {
		for _, a := range all[:i] {
			if overlap(a.addr, b.addr) {
				return usage("%s and %s: the same port; want a port of its own for each", a.option, b.option)
			}
		}
	}
	return nil
}

// overlap says whether two addresses of this machine, which have been checked,
// cannot both be listened on. "" and :: are all interfaces of both families.
func overlap(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	if number(portA) != number(portB) {
		return false
	}
	x, y := listenIP(hostA), listenIP(hostB)
	covers := func(all, one netip.Addr) bool {
		return all.IsUnspecified() && (all.Is6() || one.Is4())
	}
	return x == y || covers(x, y) || covers(y, x)
}

// listenIP is the address that a host to listen on means.
func listenIP(host string) netip.Addr {
	switch host {
	case "":
		return netip.IPv6Unspecified()
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap()
}

// isUser: a colon ends the user name in HTTP's basic authentication.
func isUser(s string) error {
	if s == "" || strings.Contains(s, ":") {
		return fmt.Errorf("want a name without a colon")
	}
	return nil
}

// userAgent is BIP14's: /acyclic:0.1.0(comment; comment)/.
func userAgent(comments []string) (string, error) {
	s := Name + ":" + Version
	if len(comments) > 0 {
		s += "(" + strings.Join(comments, "; ") + ")"
	}
	s = "/" + s + "/"
	if len(s) > wire.MaxUserAgentLen {
		return "", usage("--uacomment=%s: want comments that make a user agent of at most %d bytes, this one has %d",
			quote(comments[len(comments)-1]), wire.MaxUserAgentLen, len(s))
	}
	return s, nil
}
