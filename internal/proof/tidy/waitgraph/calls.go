package waitgraph

import (
	"go/types"
	"maps"

	"golang.org/x/tools/go/ssa"
)

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
