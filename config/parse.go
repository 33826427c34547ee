package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jessevdk/go-flags"
)

// parse reads the command line into options, and below it the file. It returns
// the file that was read, and what the user asked to be told.
func parse(args []string, home string) (o *options, file, print string, err error) {
	o = new(options)
	parser := newParser(o)
	rest, print, err := ParseArgs(parser, affirmed(args))
	switch {
	case err != nil || print != "":
	case o.Version:
		print = fmt.Sprintf("acyclicd version %s\n", Version)
	case len(rest) > 0:
		err = usage("%s: not an option; options start with --, see --help", quote(rest[0]))
	case o.DebugLevel == "show":
		print = fmt.Sprintf("subsystems: %s\n", strings.Join(Subsystems, " "))
	default:
		if err = Check(parser); err == nil {
			file, err = readFile(parser, o, home)
		}
	}
	return o, file, print, err
}

// affirmed rewrites the options that are switched off by their name, as Core's users
// write them: --nopersistmempool is --persistmempool=0. So the command line wins over
// the file, whichever way each says it.
func affirmed(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break // what follows are no options
		}
		key, value, given := strings.Cut(arg, "=")
		if key == "--no"+persist && (!given || value == "1" || value == "0") {
			args[i] = "--" + persist + "=" + opposite(value)
		}
	}
	return args
}

const persist = "persistmempool"

// opposite is what a negated switch means: alone and with 1 it is off.
func opposite(value string) string {
	if value == "0" {
		return "1"
	}
	return "0"
}

func newParser(o *options) *flags.Parser {
	parser := flags.NewNamedParser("acyclicd", flags.HelpFlag)
	parser.Usage = "[OPTIONS]"
	parser.LongDescription = "A Bitcoin node whose components cannot deadlock each other."
	if _, err := parser.AddGroup("Application Options", "", o); err != nil {
		panic(err) // a bad struct tag
	}
	return parser
}

// ParseArgs reads a command line, the client's too. It returns what is left, or
// the help text if the user asked for it. The error is one line for the user.
func ParseArgs(parser *flags.Parser, args []string) (rest []string, help string, err error) {
	rest, err = parser.ParseArgs(args)
	var e *flags.Error
	switch {
	case err == nil:
		return rest, "", nil
	case errors.As(err, &e) && e.Type == flags.ErrHelp:
		return nil, e.Message, nil
	}
	return nil, "", flagError(err, parser, args)
}

// Check looks at each value of a command line by itself, as its option's want tag
// says. The error is one line for the user.
func Check(parser *flags.Parser) error {
	for _, opt := range given(parser) {
		values, _ := opt.Value().([]string)
		if one, ok := opt.Value().(string); ok {
			values = []string{one}
		}
		for _, v := range values {
			if err := check(opt, v); err != nil {
				return usage("--%s=%s: %v", opt.LongName, quote(v), err)
			}
		}
	}
	return nil
}

// given are the options that are set and not by default, in their order.
func given(parser *flags.Parser) (all []*flags.Option) {
	for _, group := range parser.Groups() {
		for _, opt := range group.Options() {
			if opt.IsSet() && !opt.IsSetDefault() {
				all = append(all, opt)
			}
		}
	}
	return all
}

// readFile reads the configuration file below what the command line has said: an
// option that the command line has set keeps all of its values, and a network that
// it has named is the only one. Every line is checked all the same. readFile
// returns the file's path, or "" if there is none.
func readFile(parser *flags.Parser, o *options, home string) (path string, err error) {
	path, contents, err := openFile(o, home)
	if err != nil || path == "" {
		return "", err
	}
	said, named := given(parser), o.NetworkFlags
	for n, line := range strings.Split(string(contents), "\n") {
		opt, value, err := readLine(parser, strings.TrimSpace(line))
		if err == nil && opt != nil && !slices.Contains(said, opt) {
			err = opt.Set(&value)
		}
		if err != nil {
			return "", usage("%s:%d: %v", path, n+1, err)
		}
	}
	if named != (NetworkFlags{}) {
		o.NetworkFlags = named
	}
	return path, nil
}

// openFile finds and reads the configuration file. The default one may be missing.
// Like in btcd, the test networks that run on one machine leave it alone: it names
// peers and passwords of the real ones.
func openFile(o *options, home string) (path string, contents []byte, err error) {
	named := o.ConfigFile != ""
	if !named && (o.RegTest || o.SimNet || o.SigNet) {
		return "", nil, nil
	}
	path = filepath.Join(home, "acyclic.conf")
	if named {
		path = Expand(o.ConfigFile)
	}
	contents, err = os.ReadFile(path)
	switch missing := errors.Is(err, os.ErrNotExist); {
	case err == nil:
		return path, contents, nil
	case missing && !named:
		return "", nil, nil
	case missing:
		return "", nil, usage("--configfile=%s: no such file; want the path of an ini file", quote(o.ConfigFile))
	}
	return "", nil, usage("--configfile=%s: cannot be read (%v); want the path of an ini file", quote(path), errors.Unwrap(err))
}

// readLine reads key=value and checks the value, which may stand between quotes, as
// in Go. The option is nil if the line has none: a comment, a section, an empty
// line.
func readLine(parser *flags.Parser, line string) (opt *flags.Option, value string, err error) {
	switch {
	case line == "" || line[0] == '#' || line[0] == ';' || strings.EqualFold(line, "[Application Options]"):
		return nil, "", nil
	case line[0] == '[':
		return nil, "", fmt.Errorf("%s: want the only section to be [Application Options]", quote(line))
	}
	key, value, ok := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if key == "no"+persist && (value == "1" || value == "0") {
		key, value = persist, opposite(value)
	}
	opt = parser.FindOptionByLongName(key)
	switch {
	case strings.HasPrefix(key, "-"):
		return nil, "", fmt.Errorf("%s: write it without dashes, as in %s=1", quote(key), strings.TrimLeft(key, "-"))
	case opt == nil || opt.Field().Tag.Get("no-ini") != "" || key == "help":
		return nil, "", fmt.Errorf("%s: no such option in a file%s", quote(key), suggest(key, "", parser))
	case !ok:
		return nil, "", fmt.Errorf("%s: no value; want %s=1 or the like", quote(key), key)
	}
	if strings.HasPrefix(value, `"`) {
		if value, err = strconv.Unquote(value); err != nil {
			return nil, "", fmt.Errorf("%s: want a value between two quotes, or without any", quote(line))
		}
	}
	if err = check(opt, value); err != nil {
		err = fmt.Errorf("%s=%s: %w", key, quote(value), err)
	}
	return opt, value, err
}
