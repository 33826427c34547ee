package waitgraph

import (
	"fmt"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

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
