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
	rest, print, err := ParseArgs(parser, args)
	switch {
	case err != nil || print != "":
		return nil, "", print, err
	case o.Version:
		return nil, "", fmt.Sprintf("acyclicd version %s\n", Version), nil
	case len(rest) > 0:
		return nil, "", "", usage("%s: not an option; options start with --, see --help", quote(rest[0]))
	case o.DebugLevel == "show":
		return nil, "", fmt.Sprintf("subsystems: %s\n", strings.Join(Subsystems, " ")), nil
	}
	if err := Check(parser); err != nil {
		return nil, "", "", err
	}
	file, err = readFile(parser, o, home)
	return o, file, "", err
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

// setting is a line of the file: an argument and its origin.
type setting struct {
	at    string // path:line
	opt   *flags.Option
	value string
}

// readFile reads the configuration file below what the command line has said: an
// option that it has set stays as it is, all of its values, and a network that it
// has named is the only one. But every line is checked. It returns the file's
// path, or "" if there is none.
func readFile(parser *flags.Parser, o *options, home string) (path string, err error) {
	path, contents, err := openFile(o, home)
	if err != nil || path == "" {
		return "", err
	}
	settings, err := readLines(parser, path, contents)
	if err != nil {
		return "", err
	}
	said, named := given(parser), o.NetworkFlags
	for _, s := range settings {
		if slices.Contains(said, s.opt) {
			continue
		}
		if err := s.opt.Set(&s.value); err != nil {
			return "", usage("%s: %v", s.at, err)
		}
	}
	if named.any() {
		o.NetworkFlags = named
	}
	return path, nil
}

// openFile finds and reads the configuration file. The default one may be
// missing, and like btcd the test networks that run on one machine leave it
// alone: it names peers and passwords of the real ones.
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
	if errors.Is(err, os.ErrNotExist) {
		if !named {
			return "", nil, nil
		}
		return "", nil, usage("--configfile=%s: no such file; want the path of an ini file", quote(o.ConfigFile))
	}
	if err != nil {
		return "", nil, usage("--configfile=%s: cannot be read (%v); want the path of an ini file", quote(path), errors.Unwrap(err))
	}
	return path, contents, nil
}

// readLines makes settings of the file's lines and checks each by itself.
func readLines(parser *flags.Parser, path string, contents []byte) (all []setting, err error) {
	for n, line := range strings.Split(string(contents), "\n") {
		line, at := strings.TrimSpace(line), fmt.Sprintf("%s:%d", path, n+1)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			if !strings.EqualFold(line, "[Application Options]") {
				return nil, usage("%s: %s: want the only section to be [Application Options]", at, quote(line))
			}
		default:
			s, err := readLine(parser, line)
			if err != nil {
				return nil, usage("%s: %v", at, err)
			}
			s.at = at
			all = append(all, s)
		}
	}
	return all, nil
}

// readLine reads key=value. The value may stand between quotes, as in Go.
func readLine(parser *flags.Parser, line string) (s setting, err error) {
	key, value, ok := strings.Cut(line, "=")
	key, s.value = strings.TrimSpace(key), strings.TrimSpace(value)
	s.opt = parser.FindOptionByLongName(key)
	switch {
	case strings.HasPrefix(key, "-"):
		return s, fmt.Errorf("%s: write it without dashes, as in %s=1", quote(key), strings.TrimLeft(key, "-"))
	case s.opt == nil || key == "help" || key == "configfile" || key == "version":
		return s, fmt.Errorf("%s: no such option in a file%s", quote(key), suggest(key, "", parser))
	case !ok:
		return s, fmt.Errorf("%s: no value; want %s=1 or the like", quote(key), key)
	}
	if strings.HasPrefix(s.value, `"`) {
		if s.value, err = strconv.Unquote(s.value); err != nil {
			return s, fmt.Errorf("%s: want a value between two quotes, or without any", quote(line))
		}
	}
	if err = check(s.opt, s.value); err != nil {
		err = fmt.Errorf("%s=%s: %w", key, quote(s.value), err)
	}
	return s, err
}
