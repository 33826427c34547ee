package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/jessevdk/go-flags"

	"acyclic/config"
)

// options are named as in btcctl and bitcoin-cli.
type options struct {
	config.NetworkFlags

	Server  string `short:"s" long:"rpcserver" value-name:"ADDR" description:"The node's RPC address (default: 127.0.0.1, the network's port)"`
	Connect string `long:"rpcconnect" value-name:"HOST" description:"The same, as bitcoin-cli calls it"`
	Port    string `long:"rpcport" value-name:"PORT" description:"The port, where the address has none"`
	User    string `short:"u" long:"rpcuser" value-name:"NAME" description:"User name (default: from the cookie)"`
	Pass    string `short:"P" long:"rpcpass" value-name:"PASSWORD" default-mask:"-" description:"Password"`
	Cookie  string `long:"rpccookiefile" value-name:"FILE" description:"The node's cookie (default: in the network's directory below --datadir)"`
	DataDir string `short:"b" long:"datadir" value-name:"DIR" description:"The node's data directory (default: ~/.acyclic/data)"`
	Timeout int    `long:"rpcclienttimeout" value-name:"SECONDS" default:"900" description:"How long to wait for an answer; 0: for ever"`
	Named   bool   `long:"named" description:"Pass the arguments as name=value"`
	Stdin   bool   `long:"stdin" description:"Read further arguments from standard input, one a line"`
	Version bool   `short:"V" long:"version" description:"Print the version and exit"`
}

// errPrint carries a text to print instead of asking.
type errPrint string

func (e errPrint) Error() string { return string(e) }

// parse reads the options before the command; what follows it is its own.
func parse(args []string) (*options, []string, error) {
	opts := new(options)
	parser := flags.NewNamedParser("acyclicctl", flags.HelpFlag|flags.PassDoubleDash|flags.PassAfterNonOption)
	parser.Usage = "[OPTIONS] COMMAND [ARGUMENTS]\n  acyclicctl [OPTIONS] help [COMMAND]"
	if _, err := parser.AddGroup("Options", "", opts); err != nil {
		panic(err) // a bad struct tag
	}
	rest, err := parser.ParseArgs(doubleDashes(args))
	if err != nil {
		var e *flags.Error
		if errors.As(err, &e) && e.Type == flags.ErrHelp {
			return nil, nil, errPrint(e.Message)
		}
		return nil, nil, fmt.Errorf("%s; see acyclicctl --help", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if opts.Version {
		return nil, nil, errPrint("acyclicctl version " + config.Version + "\n")
	}
	if len(rest) == 0 {
		return nil, nil, errors.New("no command; want one as in acyclicctl getblockcount, see acyclicctl help")
	}
	return opts, rest, nil
}

var singleDash = regexp.MustCompile(`^-([a-z0-9]{2,})(=.*)?$`)

// doubleDashes turns bitcoin-cli's -regtest into --regtest, before the command.
func doubleDashes(args []string) []string {
	known := map[string]bool{"help": true}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[options]()) {
		known[f.Tag.Get("long")] = true
	}
	out := append([]string(nil), args...)
	for i, a := range out {
		if !strings.HasPrefix(a, "-") && (i == 0 || !takesValue(out[i-1])) {
			break // the command
		}
		if m := singleDash.FindStringSubmatch(a); m != nil && known[m[1]] {
			out[i] = "-" + a
		}
	}
	return out
}

// takesValue says whether an option wants the next argument as its value.
func takesValue(arg string) bool {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[options]()) {
		long, short := f.Tag.Get("long"), f.Tag.Get("short")
		if f.Type.Kind() != reflect.Bool && (long != "" && arg == "--"+long || short != "" && arg == "-"+short) {
			return true
		}
	}
	return false
}

// target is whom to ask and how.
type target struct{ addr, user, pass string }

// target resolves the options to an address and a password.
func (o *options) target() (target, error) {
	network, err := o.Network()
	if err != nil {
		return target{}, err
	}
	t := target{user: o.User, pass: o.Pass}
	host := o.Server
	if host == "" {
		host = o.Connect
	}
	if host == "" {
		host = "127.0.0.1"
	}
	port := o.Port
	if port == "" {
		port = network.RPCPort
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	t.addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
	if o.User != "" || o.Pass != "" {
		return t, nil
	}
	file := o.Cookie
	if file == "" {
		dir := config.DefaultDataDir()
		if o.DataDir != "" {
			dir = config.Expand(o.DataDir)
		}
		file = config.CookieFile(dir, network)
	}
	t.user, t.pass, err = readCookie(file, t.addr)
	return t, err
}

// readCookie reads what the node left for local clients.
func readCookie(file, addr string) (user, pass string, err error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if errors.Is(err, os.ErrNotExist) {
		return "", "", fmt.Errorf("cannot reach the node at %s: no cookie %s, is acyclicd running? --datadir says where, --rpcuser and --rpcpass do without", addr, file)
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot read the cookie: %w", err)
	}
	user, pass, ok := strings.Cut(strings.TrimSpace(string(text)), ":")
	if !ok {
		return "", "", fmt.Errorf("%s is not a cookie: want user:password", file)
	}
	return user, pass, nil
}

// readLines reads the arguments that come by standard input.
func readLines(r io.Reader) ([]string, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read the arguments from standard input: %w", err)
	}
	if len(text) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}
