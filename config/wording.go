package config

import (
	"errors"
	"regexp"
	"strings"

	"github.com/jessevdk/go-flags"
)

var backquoted = regexp.MustCompile("`([^']*)'")

// flagError words an error of the flag parser: one line that names the option as
// it stands in args.
func flagError(err error, parser *flags.Parser, args []string) error {
	e := new(flags.Error)
	errors.As(err, &e)
	name := ""
	if m := backquoted.FindStringSubmatch(err.Error()); m != nil {
		name = m[1]
	}
	if i := strings.LastIndex(name, "--"); i >= 0 {
		name = name[i+2:] // of "-b, --datadir"
	}
	switch e.Type {
	case flags.ErrUnknownFlag:
		dashes := "--"
		if len(name) == 1 {
			dashes, name = "-", oneDash(name, args)
		}
		return usage("%s%s: no such option%s", dashes, quote(name), suggest(name, "--", parser))
	case flags.ErrExpectedArgument:
		return usage("--%s: no value; want --%s=%s", name, name, parser.FindOptionByLongName(name).ValueName)
	case flags.ErrNoArgumentForBool:
		return usage("--%s: takes no value; want --%s alone", name, name)
	}
	return usage("%v", err)
}

// oneDash finds the word that was written with one dash, as Core's options are. The
// parser takes its first letter for an option.
func oneDash(letter string, args []string) string {
	for _, a := range args {
		if strings.HasPrefix(a, "-"+letter) {
			word, _, _ := strings.Cut(a[1:], "=")
			return word
		}
	}
	return letter
}

// coreNames are the names here of options that Bitcoin Core calls otherwise.
var coreNames = map[string]string{
	"rpcport": "rpclisten", "rpcbind": "rpclisten", "bind": "listen", "port": "listen",
	"maxconnections": "maxpeers", "dbcache": "utxocachemaxsize", "debug": "debuglevel",
}

// suggest names the option that was meant, with its dashes: the name here of Core's
// option, or the nearest name, if one is near.
func suggest(name, dashes string, parser *flags.Parser) string {
	if ours := coreNames[name]; ours != "" && parser.FindOptionByLongName(ours) != nil {
		return "; did you mean " + dashes + ours + "?"
	}
	best, at := "", 1+len(name)/3
	for _, group := range parser.Groups() {
		for _, opt := range group.Options() {
			if d := distance(strings.ToLower(name), opt.LongName); d <= at && opt.LongName != "" {
				best, at = opt.LongName, d-1
			}
		}
	}
	if exact := at < 0; best == "" || exact && dashes == "" { // a file may not have it
		return "; see --help"
	}
	return "; did you mean " + dashes + best + "?"
}

// distance counts the edits (insert, delete, replace) between two words. row holds
// the distances of a's beginning to all beginnings of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			if a[i] != b[j] {
				diagonal = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], diagonal
		}
	}
	return row[len(b)]
}
