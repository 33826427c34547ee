package tidy

import (
	"go/types"
	"slices"
	"strings"
)

const module = "acyclic"

// components are the machines, the vocabulary they are written in, and what
// they calculate with.
var components = []string{"chain", "peer", "netsync", "relay", "server", "internal/kernel/actor", "config/hostport"}

// contracts are the files by which others know these packages. The folders
// below one know all of it: chain/engine is chain's own adapter.
var contracts = map[string][]string{
	"chain":        {"contract.go", "work.go"},
	"chain/engine": {"contract.go"},
	"peer":         {"contract.go"},
	"netsync":      {"contract.go"},
	"relay":        {"contract.go"},
	"server":       {"contract.go"},
}

// adapterContracts are the files in which a component says what it asks and tells
// its adapters. Adapters may know these too; other components may not.
var adapterContracts = map[string][]string{
	"peer":   {"ports.go", "codec.go"}, // the adapter decodes, for it may use another processor for that
	"server": {"ports.go"},
}

// wiring are the folders that build components and set the bounds that span them.
var wiring = []string{"internal/node", "internal/proof/sim", "cmd/acyclicd"}

// adapters are the packages whose goroutines may wait, if they say why, and the
// kernel, which does not.
var adapters = []string{
	"chain/engine", "cmd/acyclicd", "config", "internal/adapters/book", "internal/kernel/live", "internal/adapters/logging", "internal/node",
	"internal/adapters/rpc", "internal/adapters/rpc/commands", "internal/adapters/transport", "internal/adapters/watch",
	"internal/kernel/bus", "internal/kernel/cell", "internal/kernel/adapter", "internal/kernel/mailbox", "internal/proof/sim", "internal/proof/sim/fake",
}

// others are the folders that are held to none of these rules, and why. What the
// node is made of, components, adapters and wiring, imports none of them.
var others = map[string]string{
	"cmd/acyclicctl":          "the node's client: it asks, waits and ends",
	"cmd/stormlab":            "an experiment with nodes, each a process of its own",
	"integration":             "tests with real processes, which they wait for",
	"internal/proof/tidy":     "the rules themselves, which run while the project is built",
	"internal/proof/fixture":  "chain data for tests",
	"internal/proof/explore":  "tests: runs every interleaving on one goroutine",
	"internal/proof/golden":   "tests: files that hold what a test makes",
	"internal/proof/negative": "tests: shows that checks can fail",
	"internal/proof/steptest": "tests: drives one machine by hand",
}

// simulation is what stands in for the world: its bounds are the experiment's.
var simulation = []string{"internal/proof/sim"}

// floors are the floors of the house, the lowest first. No package imports one of
// a higher floor: the kernel knows no component, a component no adapter, and what
// runs knows nothing of its proof. Of two entries the longer path counts.
var floors = []struct {
	name    string
	folders []string
}{
	{"kernel", []string{"internal/kernel", "config"}},
	{"components", []string{"chain", "peer", "netsync", "relay", "server"}},
	{"adapters", []string{"internal/adapters", "chain/engine"}},
	{"node", []string{"internal/node"}},
	{"cmd", []string{"cmd"}},
	{"proof", []string{"internal/proof"}},
}

// floorOf is the floor of a package, or -1: it stands beside the house.
func floorOf(pkg string) int {
	floor, length := -1, 0
	for i, f := range floors {
		for _, folder := range f.folders {
			if below(pkg, []string{folder}) && len(folder) > length {
				floor, length = i, len(folder)
			}
		}
	}
	return floor
}

// mayImport is the import direction on and between the floors, where it is
// narrower: what each of these packages may import of this module.
var mayImport = map[string][]string{
	"config/hostport":             {},
	"config":                      {"config/hostport"},
	"internal/kernel/actor":       {},
	"internal/kernel/adapter":     {"internal/kernel/actor"},
	"internal/kernel/mailbox":     {"internal/kernel/actor"},
	"internal/kernel/bus":         {"internal/kernel/actor", "internal/kernel/mailbox"},
	"internal/kernel/cell":        {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/bus", "internal/kernel/adapter"},
	"internal/kernel/live":        {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/bus", "internal/kernel/adapter", "internal/kernel/cell"},
	"internal/proof/sim":          {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/bus", "internal/kernel/adapter", "internal/kernel/cell"},
	"internal/adapters/transport": {"internal/kernel/actor", "internal/kernel/adapter", "peer", "server"},
	"internal/adapters/watch":     {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/cell"},
	"internal/adapters/book":      {"internal/kernel/actor", "internal/kernel/adapter", "server"},
	"chain":                       {"internal/kernel/actor"},
	"chain/engine":                {"internal/kernel/actor", "internal/kernel/adapter", "chain"},
	"peer":                        {"internal/kernel/actor"},
	"netsync":                     {"internal/kernel/actor", "chain", "peer"},
	"relay":                       {"internal/kernel/actor", "chain", "peer"},
	"server":                      {"config/hostport", "internal/kernel/actor", "chain", "peer", "netsync", "relay"},
}

// importedOnlyBy names, for packages that few may know, the folders that do.
var importedOnlyBy = map[string][]string{
	"integration":                 {"integration", "cmd/stormlab"},
	"internal/kernel/live":        {"internal/node"},
	"internal/adapters/book":      {"internal/node"},
	"internal/adapters/transport": {"internal/node"},
	"internal/adapters/watch":     {"internal/node", "internal/adapters/rpc", "cmd/acyclicd"},
	"internal/proof/sim":          {"internal/proof/sim"},
	"chain/engine":                {"internal/node", "cmd/acyclicd"},
}

// pureStd are the packages of the standard library that a component may import:
// they calculate. For what they write to or read from, an io.Writer or
// io.Reader, see interfaces.
var pureStd = []string{
	"bufio", "bytes", "cmp", "container/heap", "container/list", "crypto/hmac", "crypto/sha1", "crypto/sha256",
	"crypto/sha512", "crypto/subtle", "encoding/base64", "encoding/binary", "encoding/hex", "errors", "fmt", "hash",
	"io", "iter", "maps", "math", "math/big", "math/bits", "math/rand/v2", "net/netip", "slices", "sort", "strconv",
	"strings", "time", "unicode", "unicode/utf8",
}

// denied are the exceptions to pureStd, and what deserves a clearer reason than
// that it is of another package.
var denied = map[string]string{
	"(*sync.Mutex).Lock": "waits", "(*sync.RWMutex).Lock": "waits", "(*sync.RWMutex).RLock": "waits",
	"(*sync.Cond).Wait": "waits", "(*sync.WaitGroup).Wait": "waits", "(*sync.Once).Do": "waits",
	"time.Now": "reads the clock", "time.Since": "reads the clock", "time.Until": "reads the clock",
	"time.Sleep": "waits", "time.After": "starts a timer", "time.AfterFunc": "starts a timer",
	"time.Tick": "starts a timer", "time.NewTimer": "starts a timer", "time.NewTicker": "starts a timer",
	"(*time.Timer).Reset": "starts a timer", "(*time.Ticker).Reset": "starts a timer",
	"time.LoadLocation": "reads a file", "(time.Time).Local": "depends on this machine's time zone",
	"fmt.Print": "writes to standard output", "fmt.Printf": "writes to standard output",
	"fmt.Println": "writes to standard output", "fmt.Scan": "reads standard input",
	"fmt.Scanf": "reads standard input", "fmt.Scanln": "reads standard input", "io.Pipe": "waits for the other end",
	"iter.Pull": "starts a coroutine", "iter.Pull2": "starts a coroutine",
	"maps.All": orderWhy, "maps.Keys": orderWhy, "maps.Values": orderWhy,
}

const orderWhy = "ranges over a map"

// allowed are functions that are harmless although nothing proves it, by their
// full name, with the reason.
var allowed = map[string]string{
	// Of package net, what btcd's addresses need and what only calculates.
	"net.ParseIP": "calculates", "net.CIDRMask": "calculates", "net.IPv4": "calculates", "(net.IP).To4": "calculates",
	"(net.IP).To16": "calculates", "(net.IP).Mask": "calculates", "(net.IP).Equal": "calculates",
	"(net.IP).String": "calculates", "(*net.IPNet).Contains": "calculates",
}

// interfaces are the interfaces through which a component, or what it names,
// may call: all methods of these, whoever implements them.
var interfaces = map[string]string{
	"error":     "errors are values",
	"io.Writer": "waits only if what it writes to does; a component makes none that does, and is given none without an excuse, see stream",
	"io.Reader": "as io.Writer",
	"hash.Hash": "calculates",

	"encoding/binary.ByteOrder": "calculates",

	"github.com/btcsuite/btcd/wire/v2.Message": "codecs of values; they write to and read from an io.Writer and io.Reader",

	module + "/internal/kernel/actor.Host":     "looks at the cell's own tables, see internal/kernel/cell; the mutexes there are leaves",
	module + "/internal/kernel/actor.answered": "only actor.Asks has its method",
	module + "/internal/kernel/actor.fitting":  "only actor.Asks has its method",
}

// pkgOf is the package of path within this module, "." for its root and "" for
// one of another module. go vet marks the variant of a package that is built
// with its tests by a suffix in brackets.
func pkgOf(path string) string {
	path, _, _ = strings.Cut(path, " ")
	if path == module {
		return "."
	}
	p, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return p
}

// below says whether pkg is one of the folders or lies in one.
func below(pkg string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return pkg == f || strings.HasPrefix(pkg, f+"/") })
}

// isStd says whether path is of the standard library: of no module.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return pkgOf(path) == "" && !strings.Contains(first, ".")
}

// stdVerdict says why a function of the standard library may not be called, or
// "".
func stdVerdict(fn *types.Func) string {
	name, path := fn.FullName(), fn.Pkg().Path()
	if why := denied[name]; why != "" {
		return why
	}
	if path == "math/rand/v2" && fn.Signature().Recv() == nil && !strings.HasPrefix(fn.Name(), "New") {
		return "is global chance"
	}
	if !slices.Contains(pureStd, path) {
		return "is of a package that is not in the table of those that only calculate"
	}
	return ""
}
