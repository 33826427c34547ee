package waitgraph

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// kind is what is done at a place.
type kind string

const (
	send    kind = "sends on"
	receive kind = "receives from"
	closes  kind = "closes"
	lock    kind = "locks"
	holds   kind = "holds"
	waits   kind = "waits for" // a WaitGroup or Cond
	signals kind = "signals"
	sleep   kind = "sleeps:"
	outside kind = "leaves for" // code that is not loaded: it is no loop of the program
	unknown kind = "calls what is not known:"
)

// partners are the kinds that end a wait.
var partners = map[kind][]kind{send: {receive}, receive: {send, closes}, lock: {holds}, waits: {signals}}

// op is something done at a place. A goroutine may wait in it, it may let another
// goroutine go on, or both.
type op struct {
	kind   kind
	what   string   // the place as the statement names it
	at     []*place // which it may be
	fn     *ssa.Function
	in     ssa.Instruction
	pos    token.Pos
	waits  bool     // it can wait: not an arm of a select with a default, not a close
	choice bool     // an arm of a select: another arm may end the wait too
	stream bool     // it waits only if the readers and writers that it is given wait
	held   []*place // the locks that may be held
	while  *op      // of holds: what is done under the lock
}

// call is a call of code that is loaded.
type call struct {
	pos  token.Pos
	to   []*ssa.Function
	held []*place
}

// body is what a function does.
type body struct {
	ops      []*op
	calls    []call
	starts   []*ssa.Function // as goroutines
	acquires []*place        // locks that it leaves locked
	releases []*place        // locks that it unlocks and did not lock
}

// These are what the standard library is known to do. A sync.Once is a lock that is
// held while its function runs.
var (
	locks   = set("(*sync.Mutex).Lock", "(*sync.RWMutex).Lock", "(*sync.RWMutex).RLock", "(sync.Locker).Lock")
	tries   = set("(*sync.Mutex).TryLock", "(*sync.RWMutex).TryLock", "(*sync.RWMutex).TryRLock")
	unlocks = set("(*sync.Mutex).Unlock", "(*sync.RWMutex).Unlock", "(*sync.RWMutex).RUnlock", "(sync.Locker).Unlock")
	waiting = set("(*sync.WaitGroup).Wait", "(*sync.Cond).Wait")
	signal  = set("(*sync.WaitGroup).Done", "(*sync.Cond).Signal", "(*sync.Cond).Broadcast")

	// starters run what they are given on another goroutine.
	starters = set("(*sync.WaitGroup).Go", "time.AfterFunc", "context.AfterFunc", "net/http.HandleFunc",
		"(*net/http.ServeMux).HandleFunc")

	// calculates are packages whose other functions wait only for what they are
	// given, see streams, and single functions of other packages.
	calculates = set("net.ParseIP", "net.CIDRMask", "(*net.IPNet).Contains", "(net.IP).To4", "(net.IP).To16",
		"(*net.TCPAddr).AddrPort", "crypto/hmac", "crypto/subtle", "bufio", "bytes", "cmp", "container/heap", "container/list", "context", "crypto/sha256",
		"encoding/base64", "encoding/binary", "encoding/hex", "errors", "fmt", "hash", "io", "maps", "math", "math/big",
		"math/bits", "math/rand/v2", "net/netip", "reflect", "runtime", "runtime/debug", "slices", "sort",
		"strconv", "strings", "sync", "sync/atomic", "time", "unicode", "unicode/utf8", "unsafe")
)

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
