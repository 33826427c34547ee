package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jessevdk/go-flags"

	"acyclic/internal/adapters/logging"
)

// parsed is what the user said, checked one by one but not together.
type parsed struct {
	options
	print string
}

// parse reads the command line for what decides about the file, then the file,
// then the command line over it. It returns the file that was read.
func parse(args []string, home string) (*parsed, string, error) {
	first, err := parseArgs(args, new(options), "")
	if err != nil || first.print != "" {
		return first, "", err
	}
	path, contents, err := readFile(&first.options, home)
	if err != nil {
		return nil, "", err
	}
	opts := new(options)
	if path != "" {
		if err := parseFile(path, contents, opts); err != nil {
			return nil, "", err
		}
		if first.NetworkFlags.any() {
			opts.NetworkFlags = NetworkFlags{} // the command line wins
		}
	}
	both, err := parseArgs(args, opts, path)
	return both, path, err
}

// parseArgs reads the command line into opts, on top of what a file said.
func parseArgs(args []string, opts *options, file string) (*parsed, error) {
	parser := newParser(opts)
	if file != "" { // what the file said must not be overwritten by defaults
		keep(parser, opts)
	}
	rest, err := parser.ParseArgs(args)
	if err != nil {
		var e *flags.Error
		if errors.As(err, &e) && e.Type == flags.ErrHelp {
			return &parsed{print: e.Message}, nil
		}
		return nil, FlagError(err, parser, args)
	}
	if opts.Version {
		return &parsed{print: fmt.Sprintf("acyclicd version %s\n", Version)}, nil
	}
	if len(rest) > 0 {
		return nil, usage("%s: not an option; options start with --, see --help", quote(rest[0]))
	}
	if opts.DebugLevel == "show" {
		return &parsed{print: fmt.Sprintf("subsystems: %s\n", strings.Join(logging.Subsystems, " "))}, nil
	}
	said := func(name string) bool {
		opt := parser.FindOptionByLongName(name)
		return opt.IsSet() && !opt.IsSetDefault()
	}
	if err := check(opts, "--", said, func(string, string) string { return "" }); err != nil {
		return nil, err
	}
	return &parsed{options: *opts}, nil
}

func newParser(opts *options) *flags.Parser {
	parser := flags.NewNamedParser("acyclicd", flags.HelpFlag)
	parser.Usage = "[OPTIONS]"
	parser.LongDescription = "A Bitcoin node whose components cannot deadlock each other."
	if _, err := parser.AddGroup("Application Options", "", opts); err != nil {
		panic(err) // a bad struct tag
	}
	return parser
}

// keep makes the values that a file has set the defaults.
func keep(parser *flags.Parser, opts *options) {
	for _, o := range valueOptions(opts) {
		if opt := parser.FindOptionByLongName(o.name); opt != nil && len(*o.values()) > 0 {
			opt.Default = *o.values()
		}
	}
}

// readFile finds and reads the configuration file. The default one may be
// missing, and like btcd the test networks that run on one machine leave it
// alone: it names peers and passwords of the real ones.
func readFile(o *options, home string) (path string, contents []byte, err error) {
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

// parseFile reads the ini file into opts and checks each value, so that a
// complaint names the line.
func parseFile(path string, contents []byte, opts *options) error {
	parser := newParser(opts)
	if err := rejectFlagsInFile(path, contents, parser); err != nil {
		return err
	}
	ini := flags.NewIniParser(parser)
	if err := ini.Parse(bytes.NewReader(contents)); err != nil {
		return sayIniError(path, contents, err, parser)
	}
	said := func(name string) bool { return lineOf(contents, name, "") > 0 }
	return check(opts, "", said, func(name, value string) string {
		return fmt.Sprintf("%s:%d: ", path, lineOf(contents, name, value))
	})
}

// rejectFlagsInFile words the commonest mistakes better than the parser does: a
// flag without a value, dashes, a key that is no option.
func rejectFlagsInFile(path string, contents []byte, parser *flags.Parser) error {
	for n, line := range iniLines(contents) {
		key, _, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		at := fmt.Sprintf("%s:%d: ", path, n)
		switch opt := parser.FindOptionByLongName(key); {
		case line[0] == '[':
		case strings.HasPrefix(key, "-"):
			return usage("%s%s: write it without dashes, as in %s=1", at, quote(key), strings.TrimLeft(key, "-"))
		case opt == nil || key == "help" || key == "configfile" || key == "version":
			return usage("%s%s: no such option in a file%s", at, quote(key), suggest(key, "", parser))
		case !ok:
			return usage("%s%s: no value; want %s=1 or the like", at, quote(key), key)
		}
	}
	return nil
}

// iniLines yields the lines that say something, with their numbers.
func iniLines(contents []byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		lines := bufio.NewScanner(bytes.NewReader(contents))
		lines.Buffer(nil, len(contents)+1)
		for n := 1; lines.Scan(); n++ {
			line := strings.TrimSpace(lines.Text())
			if line == "" || line[0] == '#' || line[0] == ';' {
				continue
			}
			if !yield(n, line) {
				return
			}
		}
	}
}

// lineOf finds the line that sets an option to a value.
func lineOf(contents []byte, name, value string) int {
	last := 0
	for n, line := range iniLines(contents) {
		key, val, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) != name {
			continue
		}
		last = n
		if strings.Trim(strings.TrimSpace(val), `"`) == value {
			return n
		}
	}
	return last
}

// sayIniError words an error of the ini parser.
func sayIniError(path string, contents []byte, err error, parser *flags.Parser) error {
	var e *flags.IniError
	if !errors.As(err, &e) {
		return usage("%s: %v; want the only section to be [Application Options]", path, err)
	}
	for n, line := range iniLines(contents) {
		if uint(n) != e.LineNumber {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if opt := parser.FindOptionByLongName(key); opt != nil && opt.Field().Type.Kind().String() == "bool" {
			return usage("%s:%d: %s=%s: want 1 or 0", path, n, key, quote(value))
		}
	}
	return usage("%s:%d: %s", path, e.LineNumber, e.Message)
}
