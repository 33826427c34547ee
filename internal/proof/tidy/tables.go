package tidy

import (
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
)

const module = "acyclic"

const (
	kernelFloor = iota
	configFloor
	componentFloor
	adapterFloor
	nodeFloor
	cmdFloor
	proofFloor
)

// floors are the folders on each floor of the house, the lowest floor first. A
// package imports none of a higher floor: the kernel knows no component, a
// component knows no adapter, and what runs knows nothing of its proof. Of the
// folders around a package the innermost counts.
//
// What is on the components' floor is a component. What is on another floor is an
// adapter, unless it is exempt: it may wait, and says why.
var floors = [][]string{
	kernelFloor:    {"internal/kernel"},
	configFloor:    {"config"},
	componentFloor: {"chain", "peer", "netsync", "relay", "server"},
	adapterFloor:   {"internal/adapters", "chain/engine"},
	nodeFloor:      {"internal/node"},
	cmdFloor:       {"cmd"},
	proofFloor:     {"internal/proof"},
}

// components are the machines, the vocabulary in which they are written, and
// what they calculate with.
var components = append(slices.Clone(floors[componentFloor]), "internal/kernel/actor", "config/hostport")

// exempt are the folders that are neither component nor adapter, and why. They
// are held to the imports and the contracts alone. Nothing that the node is made
// of imports them.
var exempt = map[string]string{
	"cmd/acyclicctl":          "the node's client: it asks, waits and ends",
	"cmd/stormlab":            "an experiment with nodes, each in a process",
	"integration":             "tests with real processes, for which they wait",
	"internal/proof/tidy":     "the rules themselves, which run while the project is built",
	"internal/proof/coverage": "a tool: runs the tests of the proof and counts",
	"internal/proof/fixture":  "chain data for tests",
	"internal/proof/explore":  "tests: runs every interleaving on one goroutine",
	"internal/proof/mutate":   "tests: breaks the project on purpose and runs its tests",
	"internal/proof/golden":   "tests: files that hold what a test makes",
	"internal/proof/bubble":   "tests: runs them in virtual time",
	"internal/proof/negative": "tests: shows that checks can fail",
	"internal/proof/steptest": "tests: drives one machine by hand",
}

// wiring are the folders that build components. They know all of a component.
var wiring = []string{"internal/node", "internal/proof/sim"}

// contracts are the files, beside contract.go, by which others know a component.
// The folders below a component know all of it.
var contracts = map[string][]string{"chain": {"work.go", "txcontract.go"}}

// adapterContracts are the files in which a component says what it asks and tells
// its adapters. Adapters may know these too. Other components may not.
var adapterContracts = map[string][]string{
	"peer":   {"ports.go", "codec.go"}, // the adapter decodes, for it may use another processor for that
	"server": {"ports.go"},
}

// mayImport is what a folder may import of this module, where the floors would
// allow more.
var mayImport = map[string][]string{
	"internal/kernel/adapter":     {"internal/kernel/actor"},
	"internal/kernel/mailbox":     {"internal/kernel/actor"},
	"internal/kernel/bus":         {"internal/kernel/actor", "internal/kernel/mailbox"},
	"config":                      {"config/hostport"},
	"chain":                       {"internal/kernel/actor"},
	"peer":                        {"internal/kernel/actor"},
	"netsync":                     {"internal/kernel/actor", "chain", "peer"},
	"relay":                       {"internal/kernel/actor", "chain", "peer", "relay/track"},
	"relay/track":                 {"internal/kernel/actor", "chain", "peer"},
	"server":                      {"internal/kernel/actor", "chain", "peer", "netsync", "relay", "config/hostport"},
	"chain/engine":                {"internal/kernel/actor", "internal/kernel/adapter", "chain", "chain/engine/pool"},
	"chain/engine/pool":           {"internal/kernel/actor", "chain"},
	"internal/adapters/book":      {"internal/kernel/actor", "internal/kernel/adapter", "server"},
	"internal/adapters/transport": {"internal/kernel/actor", "internal/kernel/adapter", "peer", "server"},
	"internal/adapters/watch":     {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/cell"},
	"internal/proof/sim":          {"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/bus", "internal/kernel/adapter", "internal/kernel/cell"},
	"internal/proof/sim/fake":     {"internal/kernel/actor", "internal/kernel/adapter", "chain", "peer", "netsync", "relay", "server"},
}

// importedOnlyBy is what may import a folder, where the floors would allow more.
// An adapter without an entry is for the node alone.
var importedOnlyBy = map[string][]string{
	"internal/kernel/live":           {"internal/node"},
	"chain/engine":                   {"internal/node", "cmd/acyclicd"},
	"chain/engine/pool":              {"chain/engine", "internal/node"},
	"internal/adapters/logging":      {"cmd/acyclicd"},
	"internal/adapters/rpc":          {"internal/node", "cmd/acyclicd"},
	"internal/adapters/rpc/commands": {"internal/adapters/rpc", "cmd/acyclicctl"},
	"internal/adapters/watch":        {"internal/node", "internal/adapters/rpc", "cmd/acyclicd"},
	"internal/proof/sim":             {"internal/proof/sim"},
	"integration":                    {"integration", "cmd/stormlab"},
}

// mayKnow says whether one package may import another.
func mayKnow(pkg, to string) bool {
	if from := floorOf(pkg); from >= 0 && floorOf(to) > from {
		return false
	}
	by, narrow := around(importedOnlyBy, to)
	if !narrow && floorOf(to) == adapterFloor {
		by, narrow = floors[nodeFloor], true
	}
	may, listed := around(mayImport, pkg)
	return !(narrow && !below(pkg, by)) && !(listed && !slices.Contains(may, to))
}

// floorOf is the floor of a package, or -1: it stands beside the house.
func floorOf(pkg string) int {
	for ; pkg != "." && pkg != ""; pkg = path.Dir(pkg) {
		if i := slices.IndexFunc(floors, func(folders []string) bool { return slices.Contains(folders, pkg) }); i >= 0 {
			return i
		}
	}
	return -1
}

// around is the entry of the innermost folder around a package.
func around(table map[string][]string, pkg string) (entry []string, ok bool) {
	for ; !ok && pkg != "." && pkg != ""; pkg = path.Dir(pkg) {
		entry, ok = table[pkg]
	}
	return entry, ok
}

func isComponent(pkg string) bool {
	return floorOf(pkg) == componentFloor || slices.Contains(components, pkg)
}

// isAdapter says whether a package may wait if it says why.
func isAdapter(pkg string) bool { return floorOf(pkg) >= 0 && !isComponent(pkg) && !isExempt(pkg) }

func isExempt(pkg string) bool { return below(pkg, slices.Collect(maps.Keys(exempt))) }

// pureStd are the packages of the standard library that a component may import: they
// only calculate. For the io.Writer or io.Reader that some are given, see interfaces.
var pureStd = []string{
	"bufio", "bytes", "cmp", "container/heap", "container/list", "crypto/hmac", "crypto/sha1", "crypto/sha256",
	"crypto/sha512", "crypto/subtle", "encoding/base64", "encoding/binary", "encoding/hex", "errors", "fmt", "hash",
	"io", "iter", "maps", "math", "math/big", "math/bits", "math/rand/v2", "net/netip", "slices", "sort", "strconv",
	"strings", "time", "unicode", "unicode/utf8",
}

// denied are the exceptions to pureStd, and functions of other packages that deserve
// a clearer reason than their package.
var denied = map[string]string{
	"(*sync.Mutex).Lock": "waits", "(*sync.RWMutex).Lock": "waits", "(*sync.RWMutex).RLock": "waits",
	"(*sync.Cond).Wait": "waits", "(*sync.WaitGroup).Wait": "waits", "(*sync.Once).Do": "waits",
	"time.Now": "reads the clock", "time.Since": "reads the clock", "time.Until": "reads the clock",
	"time.Sleep": "waits", "time.After": "starts a timer", "time.AfterFunc": "starts a timer",
	"time.Tick": "starts a timer", "time.NewTimer": "starts a timer", "time.NewTicker": "starts a timer",
	"(*time.Timer).Reset": "starts a timer", "(*time.Ticker).Reset": "starts a timer",
	"time.LoadLocation": "reads a file",
	"fmt.Print":         "writes to standard output", "fmt.Printf": "writes to standard output",
	"fmt.Println": "writes to standard output", "fmt.Scan": "reads standard input",
	"fmt.Scanf": "reads standard input", "fmt.Scanln": "reads standard input", "io.Pipe": "waits for the other end",
	"iter.Pull": "starts a coroutine", "iter.Pull2": "starts a coroutine",
	"maps.All": orderWhy, "maps.Keys": orderWhy, "maps.Values": orderWhy,
}

const orderWhy = "ranges over a map"

// allowed are functions that are harmless although nothing proves it, by full name,
// with the reason. They are what btcd's addresses need of package net.
var allowed = map[string]string{
	"net.ParseIP": "calculates", "net.CIDRMask": "calculates", "net.IPv4": "calculates", "(net.IP).To4": "calculates",
	"(net.IP).To16": "calculates", "(net.IP).Mask": "calculates", "(net.IP).Equal": "calculates",
	"(net.IP).String": "calculates", "(*net.IPNet).Contains": "calculates",
}

// interfaces are the interfaces whose methods a component, or what it names, may
// call, whatever implements them.
var interfaces = map[string]string{
	"error":     "errors are values",
	"io.Writer": "waits only if the stream below it does; a component makes none that does, and is given one only with an excuse, see stream",
	"io.Reader": "as io.Writer",
	"hash.Hash": "calculates",

	"encoding/binary.ByteOrder": "calculates",

	"github.com/btcsuite/btcd/wire/v2.Message": "codecs of values; they write to and read from an io.Writer and io.Reader",

	module + "/internal/kernel/actor.Host":     "looks at the cell's own tables, see internal/kernel/cell; the mutexes there are leaves",
	module + "/internal/kernel/actor.answered": "only actor.Asks has its method",
	module + "/internal/kernel/actor.fitting":  "only actor.Asks has its method",
}

// pkgOf is the package of path within this module: "." for its root, and "" if it is
// of another module. go vet marks a package that is built with its tests by a suffix
// in brackets.
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

// isStd says whether path is of the standard library.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return pkgOf(path) == "" && !strings.Contains(first, ".")
}

// stdVerdict says why a function of the standard library must not be called; "" if it
// may be.
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
