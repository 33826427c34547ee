package waitgraph

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

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

// reader reads the body of one function.
type reader struct {
	*places
	fn     *ssa.Function
	bodies map[*ssa.Function]*body // of the functions that are called, as far as known
	out    *body
	held   map[*place]bool // at the instruction that is read
	record bool            // say what is read; else find only its effect on the locks
}

// read reads the bodies of all functions. It reads a body again if that calls a
// function which leaves a lock locked, or unlocks one, for its caller. Such a lock is
// followed to the direct caller, no further.
func (s *places) read() map[*ssa.Function]*body {
	first := map[*ssa.Function]*body{}
	for _, fn := range s.funcs {
		r := reader{places: s, fn: fn, out: &body{}}
		r.flow()
		r.out.releases = slices.DeleteFunc(r.out.releases, r.locksItself)
		first[fn] = r.out
	}
	all := maps.Clone(first)
	for _, fn := range s.funcs {
		handed := func(fn *ssa.Function) bool {
			return first[fn] != nil && len(first[fn].acquires)+len(first[fn].releases) > 0
		}
		if slices.ContainsFunc(first[fn].calls, func(c call) bool { return slices.ContainsFunc(c.to, handed) }) {
			r := reader{places: s, fn: fn, bodies: first, out: &body{}}
			r.flow()
			r.out.acquires, r.out.releases = first[fn].acquires, first[fn].releases
			all[fn] = r.out
		}
	}
	return all
}

// locksItself says whether the function locks p anywhere.
func (r *reader) locksItself(p *place) bool {
	return slices.ContainsFunc(r.out.ops, func(o *op) bool { return o.kind == lock && slices.Contains(o.at, p) })
}

// flow reads all blocks, each with the locks that may be held at its entry: first
// until these are known, and then for the record.
func (r *reader) flow() {
	entry := map[*ssa.BasicBlock]map[*place]bool{}
	for _, b := range r.fn.Blocks {
		entry[b] = map[*place]bool{}
	}
	for work := slices.Clone(r.fn.Blocks); len(work) > 0; work = work[1:] {
		r.held = maps.Clone(entry[work[0]])
		r.block(work[0])
		for _, next := range work[0].Succs {
			n := len(entry[next])
			maps.Copy(entry[next], r.held)
			if len(entry[next]) > n && !slices.Contains(work[1:], next) {
				work = append(work, next)
			}
		}
	}
	r.record = true
	for _, b := range r.fn.Blocks {
		r.held = entry[b]
		r.block(b)
	}
}

// block reads one block.
func (r *reader) block(b *ssa.BasicBlock) {
	for _, in := range b.Instrs {
		switch in := in.(type) {
		case *ssa.RunDefers:
			for _, d := range slices.Backward(r.defers()) {
				r.call(d)
			}
		case *ssa.Call:
			r.call(in)
		default:
			if r.record {
				r.instr(in)
			}
		}
	}
}

// defers are the function's deferred calls in the order of the source.
func (r *reader) defers() (all []ssa.CallInstruction) {
	for _, b := range r.fn.Blocks {
		for _, in := range b.Instrs {
			if d, ok := in.(*ssa.Defer); ok {
				all = append(all, d)
			}
		}
	}
	return all
}

// instr records an instruction that is no call.
func (r *reader) instr(in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.Return:
		r.out.acquires = union(r.out.acquires, r.heldNow())
	case *ssa.Go:
		r.out.starts = append(r.out.starts, r.callees[in]...)
	case *ssa.Send:
		r.op(send, in.Chan, in, in.Pos()).waits = true
	case *ssa.UnOp:
		if in.Op == token.ARROW {
			r.op(receive, in.X, in, in.Pos()).waits = true
		}
	case *ssa.Select:
		for _, arm := range in.States {
			k := receive
			if arm.Dir == types.SendOnly {
				k = send
			}
			o := r.op(k, arm.Chan, in, arm.Pos)
			o.waits, o.choice = in.Blocking, len(in.States) > 1
		}
	}
}

// call reads a call. It may have been deferred.
func (r *reader) call(site ssa.CallInstruction) {
	c := site.Common()
	if b, ok := c.Value.(*ssa.Builtin); ok {
		if b.Name() == "close" {
			r.op(closes, c.Args[0], site, site.Pos())
		}
		return
	}
	name, recv := calleeName(c), c.Value
	if !c.IsInvoke() && len(c.Args) > 0 {
		recv = c.Args[0]
	}
	switch {
	case locks[name], tries[name]:
		r.op(lock, recv, site, site.Pos()).waits = locks[name]
		r.take(recv)
	case unlocks[name]:
		for _, p := range r.of(recv) {
			if r.record && !r.held[p] {
				r.out.releases = union(r.out.releases, []*place{p})
			}
			delete(r.held, p)
		}
	case name == "(*sync.Once).Do":
		r.op(lock, recv, site, site.Pos()).waits = true
		before := maps.Clone(r.held)
		r.take(recv)
		r.known(site, name)
		r.held = before
	case waiting[name]:
		r.op(waits, recv, site, site.Pos()).waits = true
	case signal[name]:
		r.op(signals, recv, site, site.Pos())
	default:
		r.known(site, name)
	}
}

func (r *reader) take(lock ssa.Value) {
	for _, p := range r.of(lock) {
		r.held[p] = true
	}
}

// known reads a call of code that is loaded. Other code is taken to call what it is
// given, as the standard library does with functions.
func (r *reader) known(site ssa.CallInstruction, name string) {
	var to, given []*ssa.Function
	foreign := false
	for _, fn := range r.callees[site] {
		if fn.Blocks == nil {
			foreign = true
		} else {
			to = append(to, fn)
		}
	}
	c := site.Common()
	if len(to) == 0 && r.record {
		given = r.given(c)
	}
	if starters[name] {
		r.out.starts = append(r.out.starts, given...)
		if name == "(*sync.WaitGroup).Go" {
			for _, fn := range given { // which then says Done
				r.out.ops = append(r.out.ops, &op{kind: signals, at: r.of(c.Args[0]), fn: fn, pos: site.Pos()})
			}
		}
		return
	}
	to = append(to, given...)
	if r.record && len(to) > 0 {
		r.out.calls = append(r.out.calls, call{site.Pos(), to, r.heldNow()})
	}
	for _, fn := range to {
		if b := r.bodies[fn]; b != nil && len(to) == 1 {
			for _, p := range b.releases {
				delete(r.held, p)
			}
			for _, p := range b.acquires {
				r.held[p] = true
			}
		}
	}
	if r.record {
		r.leaves(site, name, foreign, len(to) > len(given))
	}
}

// leaves records a call of code that is not loaded, unless it only calculates.
// foreign says that a function without a body may be called; found says that one with
// a body is.
func (r *reader) leaves(site ssa.CallInstruction, name string, foreign, found bool) {
	c := site.Common()
	o := &op{kind: outside, what: name, fn: r.fn, in: site, pos: site.Pos(), waits: true, held: r.heldNow()}
	var pkg *types.Package
	switch fn := c.StaticCallee(); {
	case name == "time.Sleep":
		o.kind = sleep
	case c.IsInvoke() && r.isStd(c.Method.Pkg()): // any implementation
		if pkg = c.Method.Pkg(); pkg == nil {
			return // error's
		}
	case fn != nil && foreign:
		pkg = pkgOf(fn)
	case fn == nil && c.IsInvoke() && foreign && found:
		r.leavesBeside(site, o)
		return
	case fn != nil || found:
		return
	default:
		o.kind = unknown
	}
	switch {
	case pkg == nil || !calculates[pkg.Path()] && !calculates[name] || uncertain[name]:
		r.out.ops = append(r.out.ops, o)
	case r.streams(site):
		o.stream = true
		r.out.ops = append(r.out.ops, o)
	}
}

// leavesBeside records the methods of the standard library that may be called through
// one of the program's own interfaces, beside the program's own methods.
func (r *reader) leavesBeside(site ssa.CallInstruction, like *op) {
	for _, fn := range r.callees[site] {
		obj, ok := fn.Object().(*types.Func)
		if fn.Blocks == nil && ok && !r.calmType(fn.Signature.Recv().Type()) && !(calculates[obj.Pkg().Path()] && !isStream(fn.Signature.Recv().Type())) {
			o := *like
			o.what = obj.FullName()
			r.out.ops = append(r.out.ops, &o)
		}
	}
}

// given lists the functions among a call's arguments, and the methods of the values
// that the call is given as an interface.
func (r *reader) given(c *ssa.CallCommon) (fns []*ssa.Function) {
	for _, a := range c.Args {
		if _, ok := a.Type().Underlying().(*types.Signature); ok {
			fns = append(fns, r.funcsOf(a)...)
			continue
		}
		i, ok := a.Type().Underlying().(*types.Interface)
		made, isMade := a.(*ssa.MakeInterface)
		if !isMade {
			fns = append(fns, r.streamMethods(a)...)
		}
		if !ok || !isMade {
			continue
		}
		for m := range i.Methods() {
			if fn := r.fn.Prog.LookupMethod(made.X.Type(), m.Pkg(), m.Name()); fn != nil && fn.Blocks != nil {
				fns = append(fns, fn)
			}
		}
	}
	return fns
}

// op records that something is done at the place that v is.
func (r *reader) op(k kind, v ssa.Value, in ssa.Instruction, pos token.Pos) *op {
	if !r.record {
		return &op{}
	}
	o := &op{kind: k, at: r.of(v), what: r.nameOfValue(v), fn: r.fn, in: in, pos: pos, held: r.heldNow()}
	r.out.ops = append(r.out.ops, o)
	return o
}

func (r *reader) nameOfValue(v ssa.Value) string {
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return r.nameOfVar(v.X)
		}
	case *ssa.FieldAddr, *ssa.Global, *ssa.Alloc:
		return r.nameOfVar(v)
	case *ssa.ChangeType:
		return r.nameOfValue(v.X)
	}
	var names []string
	for _, p := range r.of(v) {
		names = append(names, p.name)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return "a nil channel"
	}
	return strings.Join(names, " or ")
}

func (r *reader) heldNow() []*place {
	return slices.SortedFunc(maps.Keys(r.held), func(a, b *place) int { return strings.Compare(a.name, b.name) })
}

func union(a, b []*place) []*place {
	for _, p := range b {
		if !slices.Contains(a, p) {
			a = append(a, p)
		}
	}
	return a
}
