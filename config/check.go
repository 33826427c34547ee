package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/jessevdk/go-flags"

	"acyclic/config/hostport"
)

// checks look at one value of an option. An option's want tag names its check
// and what it is told. The error completes the line "--name=value: ".
var checks = map[string]func(value, told string) error{
	"said":   isSaid,
	"number": isNumber,
	"host":   isHost,
	"listen": isListen,

	"dir":        isDir,
	"comment":    isComment,
	"checkpoint": isCheckpoint,
	"prune":      isPrune,
	"levels":     isLevels,
	"format":     isFormat,
	"user":       isUser,
}

// check looks at a value by itself. One that the user left empty is wrong
// everywhere: it is often a variable of the shell that is not set.
func check(opt *flags.Option, value string) error {
	if _, flag := opt.Value().(bool); flag {
		return isFlag(value)
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

// isFlag is for flags in the file; on a command line they have no value.
func isFlag(s string) error {
	if _, err := strconv.ParseBool(s); err != nil {
		return errors.New("want 1 or 0")
	}
	return nil
}

func isSaid(s, want string) error {
	if s == "" {
		return errors.New("want " + want)
	}
	return nil
}

// isNumber is told the least and the greatest.
func isNumber(s, told string) error {
	low, high, _ := strings.Cut(told, " ")
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n < number(low) || n > number(high) {
		return fmt.Errorf("want a whole number from %s to %s", low, high)
	}
	return nil
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
	if err != nil || n != 0 && n < minPrune || n > maxPrune {
		return fmt.Errorf("want 0, to keep all blocks, or a whole number of MiB from %d to %d", minPrune, maxPrune)
	}
	return nil
}

func isDir(s, _ string) error {
	if s == "" {
		return errors.New("want the path of a directory")
	}
	info, err := os.Stat(Expand(s))
	if err == nil && !info.IsDir() {
		return errors.New("want a directory, this is a file")
	}
	return nil
}

// anyPort stands for a port that is not looked at.
const anyPort = 1

func isListen(s, _ string) error {
	if _, ok := hostport.ParseListen(s, anyPort); !ok {
		return errors.New("want an IP address of this machine with or without a port, as in 127.0.0.1:18444, [::1]:18444 or :18444")
	}
	return nil
}

func isHost(s, _ string) error {
	if _, ok := hostport.Parse(s, anyPort); !ok {
		return errors.New("want a host with or without a port, as in 192.0.2.1, [2001:db8::1]:18333 or node.example.org:18333")
	}
	return nil
}

// isComment is BIP14's rule, and btcd's.
func isComment(s, _ string) error {
	bad := func(r rune) bool { return strings.ContainsRune("/:()", r) || r < ' ' || r > '~' }
	if s == "" || strings.ContainsFunc(s, bad) {
		return errors.New("want printable ASCII without / : ( )")
	}
	return nil
}

func isCheckpoint(s, _ string) error { _, err := parseCheckpoint(s); return err }

func parseCheckpoint(s string) (chaincfg.Checkpoint, error) {
	wrong := errors.New("want HEIGHT:HASH, as in 546:000000002a936ca763904c3c35fce2f3556c559c0214345d31b1bcebf76acb70")
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

func isLevels(s, _ string) error {
	_, err := parseLevels(s)
	return err
}

func isFormat(s, _ string) error {
	if s != "text" && s != "json" {
		return errors.New("want text or json")
	}
	return nil
}

// isUser: a colon ends the user name in HTTP's basic authentication.
func isUser(s, _ string) error {
	if s == "" || strings.Contains(s, ":") {
		return errors.New("want a name without a colon")
	}
	return nil
}
