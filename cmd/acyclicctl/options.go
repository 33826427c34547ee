package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jessevdk/go-flags"

	"acyclic/config"
	"acyclic/config/hostport"
)

// options are named as in btcctl and bitcoin-cli. Their want tags are checked as the
// node's are. The longest timeout is a year.
type options struct {
	config.NetworkFlags

	Server   string `short:"s" long:"rpcserver" want:"host" value-name:"ADDR" description:"The node's RPC address (default: 127.0.0.1, the network's port)"`
	Connect  string `long:"rpcconnect" want:"host" value-name:"HOST" description:"The same, as bitcoin-cli calls it"`
	Port     string `long:"rpcport" want:"number 1 65535" value-name:"PORT" description:"The port, where the address has none"`
	User     string `short:"u" long:"rpcuser" want:"said a name" value-name:"NAME" description:"User name (default: from the cookie)"`
	Pass     string `short:"P" long:"rpcpass" want:"said a password" value-name:"PASSWORD" default-mask:"-" description:"Password"`
	CorePass string `long:"rpcpassword" want:"said a password" value-name:"PASSWORD" default-mask:"-" description:"The same, as bitcoin-cli calls it"`
	Cookie   string `long:"rpccookiefile" want:"said the path of a file" value-name:"FILE" description:"The node's cookie (default: in the network's directory below --datadir)"`
	DataDir  string `short:"b" long:"datadir" want:"said the path of a directory" value-name:"DIR" description:"The node's data directory (default: ~/.acyclic/data)"`
	Config   string `short:"C" long:"configfile" want:"said the path of an ini file" value-name:"FILE" description:"The node's configuration file; network, data directory and what it says of RPC are used unless given here (default: the node's default)"`
	Timeout  string `long:"rpcclienttimeout" want:"number 0 31536000" value-name:"SECONDS" default:"900" description:"How long to wait for an answer; 0: for ever"`
	Named    bool   `long:"named" description:"Pass the arguments as name=value"`
	Stdin    bool   `long:"stdin" description:"Read further arguments from standard input, one a line"`
	Version  bool   `short:"V" long:"version" description:"Print the version and exit"`
}

// parse reads the options before the command. What follows the command belongs to it.
// print is what the user asked to be told instead.
func parse(args []string) (opts *options, command []string, print string, err error) {
	opts = new(options)
	parser := flags.NewNamedParser("acyclicctl", flags.HelpFlag|flags.PassDoubleDash|flags.PassAfterNonOption)
	parser.Usage = "[OPTIONS] COMMAND [ARGUMENTS]\n  acyclicctl [OPTIONS] help [COMMAND]"
	if _, err := parser.AddGroup("Options", "", opts); err != nil {
		panic(err) // a bad struct tag
	}
	command, print, err = config.ParseArgs(parser, doubleDashes(parser, args))
	switch {
	case err != nil || print != "":
	case opts.Version:
		print = "acyclicctl version " + config.Version
	case len(command) == 0:
		err = errors.New("no command; want one as in acyclicctl getblockcount, see acyclicctl help")
	default:
		err = config.Check(parser)
	}
	return opts, command, print, err
}

// timeout is how long to wait for an answer. 0 means for ever.
func (o *options) timeout() time.Duration {
	seconds, _ := strconv.Atoi(o.Timeout) // it has been checked
	return time.Duration(seconds) * time.Second
}

var singleDash = regexp.MustCompile(`^-([a-z0-9]{2,})(=.*)?$`)

// doubleDashes turns bitcoin-cli's -regtest into --regtest, before the command.
func doubleDashes(parser *flags.Parser, args []string) []string {
	out := slices.Clone(args)
	value := false // the argument is the value of the option before it
	for i, a := range out {
		if !strings.HasPrefix(a, "-") && !value {
			break // the command
		}
		if m := singleDash.FindStringSubmatch(a); m != nil && (m[1] == "help" || parser.FindOptionByLongName(m[1]) != nil) {
			out[i] = "-" + a
		}
		value = takesValue(parser, out[i])
	}
	return out
}

// takesValue says whether an option wants the next argument as its value.
func takesValue(parser *flags.Parser, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	opt := parser.FindOptionByLongName(name)
	if len(name) == 1 {
		opt = parser.FindOptionByShortName(rune(name[0]))
	}
	if opt == nil {
		return false
	}
	_, flag := opt.Value().(bool)
	return !flag
}

// target is the node to ask, with the password.
type target struct{ addr, user, pass string }

// target resolves the options, and below them the node's configuration file, to
// an address and a password.
func (o *options) target() (target, error) {
	conf, err := config.LoadClient(o.NetworkFlags, o.Config)
	if err != nil {
		return target{}, err
	}
	t := target{addr: o.addr(conf), user: o.User, pass: cmp.Or(o.Pass, o.CorePass)}
	if t.user == "" && t.pass == "" && o.Cookie == "" {
		t.user, t.pass = conf.RPCUser, conf.RPCPass
	}
	if t.user != "" || t.pass != "" {
		return t, nil
	}
	file := config.CookieFile(config.Expand(cmp.Or(o.DataDir, conf.DataDir, config.DefaultDataDir())), conf.Network)
	if o.Cookie != "" {
		file = config.Expand(o.Cookie)
	}
	t.user, t.pass, err = readCookie(file, t.addr)
	return t, err
}

// addr is the node's address. Host and port may come from different options.
func (o *options) addr(conf config.Client) string {
	addr := hostport.Addr{Port: conf.Network.RPCPort}
	if port, err := strconv.ParseUint(o.Port, 10, 16); err == nil { // an error means that there is none
		addr.Port = uint16(port)
	}
	if asked := cmp.Or(o.Server, o.Connect); asked != "" {
		addr, _ = hostport.Parse(asked, addr.Port) // it has been checked
	} else if o.Port == "" && len(conf.RPCListen) > 0 {
		addr = conf.RPCListen[0]
	}
	addr.Host = cmp.Or(addr.Host, "127.0.0.1")
	return addr.String()
}

// readCookie reads what the node left for local clients.
func readCookie(file, addr string) (user, pass string, err error) {
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist) && answers(addr):
		return "", "", fmt.Errorf("a node answers at %s, but there is no cookie %s to log in with; want its --rpcuser and --rpcpass, or the --datadir that it was started with", addr, file)
	case errors.Is(err, os.ErrNotExist):
		return "", "", fmt.Errorf("cannot reach the node at %s: no cookie %s, is acyclicd running? --datadir says where, --rpcuser and --rpcpass do without", addr, file)
	case err != nil:
		return "", "", fmt.Errorf("--rpccookiefile=%s: cannot be read (%w); want the node's cookie", file, errors.Unwrap(err))
	}
	user, pass, ok := strings.Cut(strings.TrimSpace(string(text)), ":")
	if !ok {
		return "", "", fmt.Errorf("--rpccookiefile=%s: no cookie; want a file with user:password", file)
	}
	return user, pass, nil
}

// answers says whether something listens at an address.
func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
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
