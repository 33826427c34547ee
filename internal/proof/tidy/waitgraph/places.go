package waitgraph

import (
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
