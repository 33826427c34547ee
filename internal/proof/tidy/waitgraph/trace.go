package waitgraph

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

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
	tr := &tracing{s, v, seen, f}
	switch v := v.(type) {
	case *ssa.Phi:
		tr.back(v.Edges...)
	case *ssa.ChangeType:
		tr.back(v.X)
	case *ssa.ChangeInterface:
		tr.back(v.X)
	case *ssa.TypeAssert:
		tr.back(v.X)
	case *ssa.MakeInterface:
		tr.box(v)
	case *ssa.FreeVar:
		tr.back(s.bound(v)...)
	case *ssa.Parameter:
		given := s.arguments(v.Parent(), slices.Index(v.Parent().Params, v))
		tr.back(given...)
		if f.end != nil && len(given) == 0 {
			f.end(v)
		}
	case *ssa.Call:
		s.results(v, 0, tr.back, tr.place)
	case *ssa.Extract:
		tr.extract(v)
	case *ssa.Const:
	default:
		if !tr.origin() && !tr.loaded() {
			f.lost = true
		}
	}
}

// tracing is a trace at one value.
type tracing struct {
	*places
	v    ssa.Value
	seen map[any]bool
	f    *finder
}

// back goes on with what the value comes from.
func (t *tracing) back(vs ...ssa.Value) {
	for _, v := range vs {
		t.trace(v, t.seen, t.f)
	}
}

// place ends the trace: the value is a place, or comes from outside of what is loaded.
func (t *tracing) place(id any, name string) {
	t.f.lost = t.f.lost || isAny(t.v.Type())
	if t.f.at != nil {
		t.f.at(id, name)
	}
	if t.f.end != nil {
		t.f.end(t.v)
	}
}

// load goes on with what is stored in a cell.
func (t *tracing) load(cell any, name string) {
	if t.seen[cell] {
		return
	}
	if t.seen[cell] = true; len(t.stored[cell]) == 0 {
		t.place(cell, name) // no loaded code fills it
	}
	t.back(t.stored[cell]...)
}

// origin ends the trace at a channel, a function or a variable. It returns false if the
// value is none.
func (t *tracing) origin() bool {
	fun := func(fn *ssa.Function) {
		if t.f.fun != nil {
			t.f.fun(fn)
		}
	}
	switch v := t.v.(type) {
	case *ssa.MakeChan:
		t.place(v, t.madeAs(v))
	case *ssa.MakeClosure:
		fun(v.Fn.(*ssa.Function))
	case *ssa.Function:
		fun(v)
	case *ssa.Alloc, *ssa.Global, *ssa.FieldAddr:
		t.place(t.cell(v), t.nameOfVar(v))
	default:
		return false
	}
	return true
}

// loaded goes on with what was stored where the value is loaded from. It returns false
// if the value is not loaded.
func (t *tracing) loaded() bool {
	switch v := t.v.(type) {
	case *ssa.Field:
		field := t.field(v.X.Type(), v.Field)
		t.load(field, t.fields[field])
	case *ssa.UnOp:
		t.through(v)
	case *ssa.Lookup:
		t.load(elem(v.Type()), "element of a map")
	case *ssa.Index:
		t.load(elem(v.Type()), "element of an array")
	default:
		return false
	}
	return true
}

// through goes on through a pointer, or with what was sent.
func (t *tracing) through(v *ssa.UnOp) {
	cell := t.cell(v.X)
	if field, ok := cell.(*types.Var); ok {
		t.load(field, t.fields[field])
	} else if v.Op == token.ARROW {
		t.load(elem(v.Type()), "something received")
	} else if _, given := cell.(*ssa.Parameter); given {
		t.f.lost = true
	} else {
		t.load(cell, t.nameOfVar(v.X))
	}
}

// extract goes on with one of several results.
func (t *tracing) extract(v *ssa.Extract) {
	switch tuple := v.Tuple.(type) {
	case *ssa.Call:
		t.results(tuple, v.Index, t.back, t.place)
	case *ssa.TypeAssert:
		t.back(tuple.X)
	default: // of a map, or received
		t.load(elem(v.Type()), "something received")
	}
}

// box goes on with what becomes a value of an interface.
func (t *tracing) box(v *ssa.MakeInterface) {
	if t.f.typ != nil {
		t.f.typ(v.X.Type())
	}
	if t.f.boxed != nil {
		t.f.boxed(v.X)
		return
	}
	t.back(v.X)
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
