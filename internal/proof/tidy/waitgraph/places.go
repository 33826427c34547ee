package waitgraph

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// place is a channel, a lock or another thing to wait at, as the source knows
// it: for a channel where it is made, for a lock the field or variable that it
// is. All channels that are made by the same statement are one, and so are the
// locks in the same field of all values of a type.
type place struct {
	id   any // *ssa.MakeChan, *types.Var (a field), *ssa.Global, *ssa.Alloc, or a string
	name string
}

// places traces values back to the places that they may be.
type places struct {
	*program
	known  map[any]*place
	fields map[*types.Var]string // the name of a field with that of its type
	stored map[any][]ssa.Value   // what is put into a field, a variable, or an element of a type
	made   map[*ssa.Function][]*ssa.MakeClosure

	// among are the functions whose calls count when an argument is traced to
	// who gives it; nil: all.
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

func (s *places) index(in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.Store:
		s.stored[s.cell(in.Addr)] = append(s.stored[s.cell(in.Addr)], in.Val)
	case *ssa.MapUpdate:
		k := elem(in.Value.Type())
		s.stored[k] = append(s.stored[k], in.Value)
	case *ssa.Send:
		k := elem(in.X.Type())
		s.stored[k] = append(s.stored[k], in.X)
	case *ssa.MakeClosure:
		fn := in.Fn.(*ssa.Function)
		s.made[fn] = append(s.made[fn], in)
	}
}

// elem is the cell that stands for the elements, of a type, of all maps, slices
// and channels.
func elem(t types.Type) any { return "element " + t.String() }

// cell is what an address points to: a field, a variable, or an element.
func (s *places) cell(addr ssa.Value) any {
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		return s.field(a.X.Type(), a.Field)
	case *ssa.IndexAddr:
		return elem(a.Type().Underlying().(*types.Pointer).Elem())
	case *ssa.FreeVar:
		for _, c := range s.made[a.Parent()] {
			for i, v := range a.Parent().FreeVars {
				if v == a {
					return s.cell(c.Bindings[i])
				}
			}
		}
	}
	return addr
}

// field is the i-th field of the struct that is, or is pointed to by, a t.
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

// of lists the places that a channel may be, or that an address may be of.
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

// refine takes away, from calls of methods of the standard library's interfaces,
// the implementations that no value there can be of: VTA takes all net.Conns in
// all slices for the same.
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

// finder is told what a trace ends at.
type finder struct {
	at  func(id any, name string)
	fun func(*ssa.Function)
	typ func(types.Type) // of what is made a value of an interface; the trace goes on

	// boxed is told what is made a value of an interface; the trace ends there.
	boxed func(ssa.Value)
	end   func(ssa.Value) // told where nobody of ours has made a value

	lost bool // a value may come from where the trace could not follow
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
				place(cell, name) // nobody of ours fills it
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
	case *ssa.Alloc:
		place(v, fmt.Sprintf("%s in %s", v.Comment, nameOf(v.Parent())))
	case *ssa.Global:
		place(v, v.Pkg.Pkg.Name()+"."+v.Name())
	case *ssa.FieldAddr:
		field := s.field(v.X.Type(), v.Field)
		place(field, s.fields[field])
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
		given := 0
		for i, param := range v.Parent().Params {
			if param == v {
				s.arguments(v.Parent(), i, func(vs ...ssa.Value) { given++; back(vs...) })
			}
		}
		if f.end != nil && given == 0 {
			f.end(v)
		}
	case *ssa.FreeVar:
		for _, c := range s.made[v.Parent()] {
			for i, free := range v.Parent().FreeVars {
				if free == v {
					back(c.Bindings[i])
				}
			}
		}
	case *ssa.Const:
	default:
		f.lost = true
	}
}

func isAny(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// results goes on with the i-th result of those who may be called.
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

// arguments goes on with the i-th argument of those who may call.
func (s *places) arguments(fn *ssa.Function, i int, back func(...ssa.Value)) {
	for _, site := range s.callers[fn] {
		if s.among != nil && s.among[site.Parent()] == nil {
			continue
		}
		c := site.Common()
		if c.IsInvoke() {
			if i == 0 {
				back(c.Value)
				continue
			}
			back(c.Args[i-1])
		} else if i < len(c.Args) {
			back(c.Args[i])
		}
	}
}

// madeAs names a channel by the first thing that it is put into.
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

// nameOf is a function's name with those of its package and type.
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

// pkgOf is a function's package, also of an instance of a generic one.
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

// calleeName is the full name of who is called, as its source names it.
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
