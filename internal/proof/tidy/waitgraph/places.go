package waitgraph

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// place is a channel, a lock or another thing to wait at, as the source knows it. A
// channel is the statement that makes it: all channels of one statement are one
// place. A lock is its field or variable: the locks in one field of all values of a
// type are one place.
type place struct {
	id   any // *ssa.MakeChan, *types.Var (a field), *ssa.Global, *ssa.Alloc, or a string
	name string
}

// places traces values back to where they come from.
type places struct {
	*program
	known  map[any]*place
	fields map[*types.Var]string // the name of a field with that of its type
	stored map[any][]ssa.Value   // what is put into a field, a variable, or an element of a type
	made   map[*ssa.Function][]*ssa.MakeClosure

	// among are the functions whose calls count when an argument is traced to
	// its callers; nil: all.
	among map[*ssa.Function]*step
}

func newPlaces(p *program) *places {
	s := &places{p, map[any]*place{}, map[*types.Var]string{}, map[any][]ssa.Value{}, map[*ssa.Function][]*ssa.MakeClosure{}, nil}
	for _, fn := range p.funcs {
		for _, b := range fn.Blocks {
			for _, in := range b.Instrs {
				s.index(in)
			}
		}
	}
	s.refine()
	return s
}

// index notes what an instruction stores.
func (s *places) index(in ssa.Instruction) {
	store := func(cell any, v ssa.Value) { s.stored[cell] = append(s.stored[cell], v) }
	switch in := in.(type) {
	case *ssa.Store:
		store(s.cell(in.Addr), in.Val)
	case *ssa.MapUpdate:
		store(elem(in.Value.Type()), in.Value)
	case *ssa.Send:
		store(elem(in.X.Type()), in.X)
	case *ssa.MakeClosure:
		fn := in.Fn.(*ssa.Function)
		s.made[fn] = append(s.made[fn], in)
	}
}

// elem is the cell that stands for all elements of a type, in whatever map, slice or
// channel.
func elem(t types.Type) any { return "element " + t.String() }

// cell is what an address points to: a field, a variable, or an element.
func (s *places) cell(addr ssa.Value) any {
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		return s.field(a.X.Type(), a.Field)
	case *ssa.IndexAddr:
		return elem(a.Type().Underlying().(*types.Pointer).Elem())
	case *ssa.FreeVar:
		if bound := s.bound(a); len(bound) > 0 {
			return s.cell(bound[0])
		}
	}
	return addr
}

// bound is what closures bind to a free variable.
func (s *places) bound(v *ssa.FreeVar) (all []ssa.Value) {
	i := slices.Index(v.Parent().FreeVars, v)
	for _, c := range s.made[v.Parent()] {
		all = append(all, c.Bindings[i])
	}
	return all
}

// field is the i-th field of the struct t, or of the struct to which t points.
func (s *places) field(t types.Type, i int) *types.Var {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	f := t.Underlying().(*types.Struct).Field(i).Origin()
	if s.fields[f] == "" {
		owner := "struct"
		if n, ok := types.Unalias(t).(*types.Named); ok {
			owner = types.TypeString(n.Origin(), (*types.Package).Name)
		}
		s.fields[f] = owner + "." + f.Name()
	}
	return f
}

// of lists the places that a channel or an address may be.
func (s *places) of(v ssa.Value) []*place {
	var found []*place
	s.trace(v, map[any]bool{}, &finder{at: func(id any, name string) {
		p := s.known[id]
		if p == nil {
			p = &place{id, name}
			s.known[id] = p
		}
		if !slices.Contains(found, p) {
			found = append(found, p)
		}
	}})
	return found
}

// refine looks at calls of methods of the standard library's interfaces. It takes
// away the implementations to which no value there can belong: VTA takes all
// net.Conns in all slices for the same.
func (s *places) refine() {
	for changed := true; changed; {
		changed = false
		for site, fns := range s.callees {
			c := site.Common()
			if !c.IsInvoke() || !s.isStd(c.Method.Pkg()) {
				continue
			}
			may := map[*ssa.Function]bool{}
			f := &finder{}
			f.typ = func(t types.Type) {
				prog := site.Parent().Prog
				if m := prog.MethodSets.MethodSet(t).Lookup(c.Method.Pkg(), c.Method.Name()); m != nil && !types.IsInterface(t) {
					may[prog.MethodValue(m)] = true
				}
			}
			s.trace(c.Value, map[any]bool{}, f)
			kept := slices.DeleteFunc(slices.Clone(fns), func(fn *ssa.Function) bool { return !f.lost && !may[fn] })
			if len(kept) < len(fns) {
				s.callees[site] = kept
				changed = true
			}
		}
		s.countCallers()
	}
}

// funcsOf lists the functions that a value may be.
func (s *places) funcsOf(v ssa.Value) []*ssa.Function {
	var found []*ssa.Function
	s.trace(v, map[any]bool{}, &finder{fun: func(fn *ssa.Function) { found = append(found, fn) }})
	s.sort(found)
	return found
}

// finder is told where a trace ends.
type finder struct {
	at  func(id any, name string)
	fun func(*ssa.Function)
	typ func(types.Type) // of what becomes a value of an interface; the trace goes on

	// boxed is told what becomes a value of an interface; the trace ends there.
	boxed func(ssa.Value)
	end   func(ssa.Value) // told of a value that no loaded code has made

	lost bool // the trace could not follow a value
}

// trace follows a value back to where it comes from.
func (s *places) trace(v ssa.Value, seen map[any]bool, f *finder) {
	if v == nil || seen[v] {
		return
	}
	seen[v] = true
	back := func(vs ...ssa.Value) {
		for _, v := range vs {
			s.trace(v, seen, f)
		}
	}
	place := func(id any, name string) {
		f.lost = f.lost || isAny(v.Type())
		if f.at != nil {
			f.at(id, name)
		}
		if f.end != nil {
			f.end(v)
		}
	}
	load := func(cell any, name string) {
		if !seen[cell] {
			if seen[cell] = true; len(s.stored[cell]) == 0 {
				place(cell, name) // no loaded code fills it
			}
			back(s.stored[cell]...)
		}
	}
	switch v := v.(type) {
	case *ssa.MakeChan:
		place(v, s.madeAs(v))
	case *ssa.MakeClosure:
		if f.fun != nil {
			f.fun(v.Fn.(*ssa.Function))
		}
	case *ssa.Function:
		if f.fun != nil {
			f.fun(v)
		}
	case *ssa.Alloc, *ssa.Global, *ssa.FieldAddr:
		place(s.cell(v), s.nameOfVar(v))
	case *ssa.Field:
		field := s.field(v.X.Type(), v.Field)
		load(field, s.fields[field])
	case *ssa.UnOp:
		switch c := s.cell(v.X).(type) {
		case *types.Var:
			load(c, s.fields[c])
		default:
			if v.Op == token.ARROW {
				load(elem(v.Type()), "something received")
			} else if _, given := c.(*ssa.Parameter); given {
				f.lost = true
			} else {
				load(c, s.nameOfVar(v.X))
			}
		}
	case *ssa.Lookup:
		load(elem(v.Type()), "element of a map")
	case *ssa.Index:
		load(elem(v.Type()), "element of an array")
	case *ssa.Phi:
		back(v.Edges...)
	case *ssa.ChangeType:
		back(v.X)
	case *ssa.ChangeInterface:
		back(v.X)
	case *ssa.MakeInterface:
		if f.typ != nil {
			f.typ(v.X.Type())
		}
		if f.boxed != nil {
			f.boxed(v.X)
			return
		}
		back(v.X)
	case *ssa.TypeAssert:
		back(v.X)
	case *ssa.Extract:
		switch tuple := v.Tuple.(type) {
		case *ssa.Call:
			s.results(tuple, v.Index, back, place)
		case *ssa.TypeAssert:
			back(tuple.X)
		default: // of a map, or received
			load(elem(v.Type()), "something received")
		}
	case *ssa.Call:
		s.results(v, 0, back, place)
	case *ssa.Parameter:
		given := s.arguments(v.Parent(), slices.Index(v.Parent().Params, v))
		back(given...)
		if f.end != nil && len(given) == 0 {
			f.end(v)
		}
	case *ssa.FreeVar:
		back(s.bound(v)...)
	case *ssa.Const:
	default:
		f.lost = true
	}
}

func isAny(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// results goes on with the i-th result of the functions that may be called.
func (s *places) results(c *ssa.Call, i int, back func(...ssa.Value), place func(any, string)) {
	known := false
	for _, fn := range s.callees[c] {
		for _, b := range fn.Blocks {
			known = true
			if r, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && i < len(r.Results) {
				back(r.Results[i])
			}
		}
	}
	if !known {
		name := "result of " + calleeName(c.Common())
		place(name, name)
	}
}

// arguments are what a function may be given as its i-th argument.
func (s *places) arguments(fn *ssa.Function, i int) (all []ssa.Value) {
	for _, site := range s.callers[fn] {
		if s.among != nil && s.among[site.Parent()] == nil {
			continue
		}
		args := site.Common().Args
		if site.Common().IsInvoke() {
			args = append([]ssa.Value{site.Common().Value}, args...)
		}
		if i < len(args) {
			all = append(all, args[i])
		}
	}
	return all
}

// madeAs names a channel by the first variable that holds it.
func (s *places) madeAs(m *ssa.MakeChan) string {
	for _, ref := range *m.Referrers() {
		switch r := ref.(type) {
		case *ssa.ChangeType:
			for _, ref := range *r.Referrers() {
				if st, ok := ref.(*ssa.Store); ok {
					return s.nameOfVar(st.Addr)
				}
			}
		case *ssa.Store:
			return s.nameOfVar(r.Addr)
		}
	}
	return fmt.Sprintf("the channel made at %s", s.where(m.Pos()))
}

func (s *places) nameOfVar(addr ssa.Value) string {
	switch c := s.cell(addr).(type) {
	case *types.Var:
		return s.fields[c]
	case *ssa.Global:
		return c.Pkg.Pkg.Name() + "." + c.Name()
	case *ssa.Alloc:
		return fmt.Sprintf("%s in %s", c.Comment, nameOf(c.Parent()))
	case string:
		return "an " + c
	}
	return addr.Name()
}

// nameOf is a function's name with its package and type.
func nameOf(fn *ssa.Function) string {
	if fn.Parent() != nil {
		return nameOf(fn.Parent()) + fn.Name()[len(fn.Parent().Name()):]
	}
	name, sig := fn.Name(), fn.Signature
	if obj, ok := fn.Object().(*types.Func); ok { // a method value is its method
		name, sig = obj.Name(), obj.Signature()
	}
	if r := sig.Recv(); r != nil {
		return fmt.Sprintf("(%s).%s", types.TypeString(r.Type(), (*types.Package).Name), name)
	}
	if pkg := pkgOf(fn); pkg != nil {
		return pkg.Name() + "." + name
	}
	return name
}

// pkgOf is the package of a function, or of the generic one behind an instance.
func pkgOf(fn *ssa.Function) *types.Package {
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	if fn.Pkg != nil {
		return fn.Pkg.Pkg
	}
	if fn.Object() != nil {
		return fn.Object().Pkg()
	}
	return nil
}

// calleeName is the full name of a call's target, as its source names it.
func calleeName(c *ssa.CallCommon) string {
	if c.IsInvoke() {
		return c.Method.FullName()
	}
	if fn := c.StaticCallee(); fn != nil {
		if fn.Origin() != nil {
			fn = fn.Origin()
		}
		if obj, ok := fn.Object().(*types.Func); ok {
			return obj.FullName()
		}
		return nameOf(fn)
	}
	return "a " + types.TypeString(c.Value.Type(), (*types.Package).Name)
}
