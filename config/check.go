package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/jessevdk/go-flags"

	"acyclic/config/hostport"
)

// checks look at one value of an option. The option's want tag names its check and
// tells it the rest. The error completes the line "--name=value: ".
var checks = map[string]func(value, told string) error{
	"number":     isNumber,
	"dir":        isDir,
	"prune":      isPrune,
	"checkpoint": func(s, _ string) error { _, err := parseCheckpoint(s); return err },
	"feerate":    func(s, _ string) error { _, err := parseFeeRate(s); return err },
	"levels":     func(s, _ string) error { _, err := parseLevels(s); return err },

	"said":    func(s, told string) error { return want(s != "", told) },
	"switch":  func(s, _ string) error { return want(s == "0" || s == "1", "1 or 0") },
	"format":  func(s, _ string) error { return want(s == "text" || s == "json", "text or json") },
	"user":    func(s, _ string) error { return want(s != "" && !strings.Contains(s, ":"), "a name without a colon") },
	"comment": func(s, _ string) error { return want(isComment(s), "printable ASCII without / : ( )") },
	"listen": func(s, _ string) error {
		_, ok := hostport.ParseListen(s, anyPort)
		return want(ok, "an IP address of this machine with or without a port, as in 127.0.0.1:18444, [::1]:18444 or :18444")
	},
	"host": func(s, _ string) error {
		_, ok := hostport.Parse(s, anyPort)
		return want(ok, "a host with or without a port, as in 192.0.2.1, [2001:db8::1]:18333 or node.example.org:18333")
	},
}

// anyPort stands for a port that is not looked at.
const anyPort = 1

// want returns an error that says what would be right, unless ok.
func want(ok bool, right string) error {
	if ok {
		return nil
	}
	return errors.New("want " + right)
}

// check looks at a value by itself. An empty value is wrong everywhere: it is often
// a shell variable that is not set. A flag has a value in the file only.
func check(opt *flags.Option, value string) error {
	if _, flag := opt.Value().(bool); flag {
		_, err := strconv.ParseBool(value)
		return want(err == nil, "1 or 0")
	}
	name, told, _ := strings.Cut(opt.Field().Tag.Get("want"), " ")
	return checks[name](value, told)
}

// quote shows a value as it is, or quoted where that would be unclear.
func quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return r == ' ' || r == '"' || !strconv.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}

// isNumber is told the least and the greatest.
func isNumber(s, told string) error {
	low, high, _ := strings.Cut(told, " ")
	n, err := strconv.ParseUint(s, 10, 64)
	return want(err == nil && n >= number(low) && n <= number(high), "a whole number from "+low+" to "+high)
}

// number reads a value that has been checked.
func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic("config: unchecked number " + s)
	}
	return n
}

// The bounds of --prune, in MiB.
const (
	minPrune = 1536 // btcd's: the blocks that a reorganisation may need
	maxPrune = 1 << 30
)

func isPrune(s, _ string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	return want(err == nil && (n == 0 || n >= minPrune) && n <= maxPrune,
		fmt.Sprintf("0, to keep all blocks, or a whole number of MiB from %d to %d", minPrune, maxPrune))
}

// parseFeeRate reads BTC for 1,000 virtual bytes. The result is in satoshi, exactly.
func parseFeeRate(s string) (int64, error) {
	const decimals = 8
	whole, fraction, _ := strings.Cut(s, ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	var n uint64
	ok := s != "" && s != "." && digits(whole) && digits(fraction) && len(fraction) <= decimals
	if ok {
		var err error
		n, err = strconv.ParseUint(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
		ok = err == nil && n <= btcutil.SatoshiPerBitcoin
	}
	return int64(n), want(ok, "BTC for 1,000 virtual bytes, 0 to 1 with at most eight decimals, as in 0.00001")
}

func isDir(s, _ string) error {
	info, err := os.Stat(Expand(s))
	if s != "" && err == nil && !info.IsDir() {
		return errors.New("want a directory, this is a file")
	}
	return want(s != "", "the path of a directory")
}

// isComment is BIP14's rule, and btcd's.
func isComment(s string) bool {
	bad := func(r rune) bool { return strings.ContainsRune("/:()", r) || r < ' ' || r > '~' }
	return s != "" && !strings.ContainsFunc(s, bad)
}

func parseCheckpoint(s string) (chaincfg.Checkpoint, error) {
	h, x, _ := strings.Cut(s, ":")
	height, err := strconv.ParseInt(h, 10, 32)
	hash, wrong := chainhash.NewHashFromStr(x)
	ok := err == nil && wrong == nil && height >= 0 && len(x) == chainhash.MaxHashStringSize
	return chaincfg.Checkpoint{Height: int32(height), Hash: hash},
		want(ok, "HEIGHT:HASH, as in 546:000000002a936ca763904c3c35fce2f3556c559c0214345d31b1bcebf76acb70")
}
