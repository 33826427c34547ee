package tidy

import (
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// zoneless are the methods of time.Time that do not depend on its zone. A time that
// comes from a clock or a header has the zone of this machine.
var zoneless = []string{
	"Add", "After", "Before", "Compare", "Equal", "In", "IsZero", "Nanosecond", "Round", "Sub", "Truncate", "UTC", "Unix",
	"UnixMicro", "UnixMilli", "UnixNano",
}

// zoneVerdict says why a method of time.Time must not be called on what the path
// ends with; "" if it may be. All may be called on t.UTC().
func zoneVerdict(info *types.Info, path []ast.Node, fn *types.Func) string {
	if !strings.HasPrefix(fn.FullName(), "(time.Time).") || slices.Contains(zoneless, fn.Name()) {
		return ""
	}
	if sel, ok := path[len(path)-2].(*ast.SelectorExpr); ok && isUTC(info, sel.X) {
		return ""
	}
	return "depends on this machine's time zone"
}

func isUTC(info *types.Info, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && calledName(info, call) == "(time.Time).UTC"
}

// address is the verb that prints where something lies in memory.
var address = regexp.MustCompile(`(^|[^%])(%%)*%[-+# 0-9.*\[\]]*p`)

// printed flags what prints differently on another machine or in another run.
func (p purity) printed(call *ast.CallExpr) {
	info := p.pass.TypesInfo
	sig, ok := under(info.TypeOf(call.Fun)).(*types.Signature)
	if !ok {
		return
	}
	toFmt, typesOnly := strings.HasPrefix(calledName(info, call), "fmt."), false
	for i, a := range call.Args {
		text := ""
		if v := info.Types[a].Value; v != nil {
			text = v.ExactString()
		}
		typesOnly = typesOnly || strings.Contains(text, "%T")
		what := ""
		switch t := info.TypeOf(a); {
		case address.MatchString(text):
			what = "an address"
		case !types.IsInterface(paramOf(sig, i)) || isUTC(info, a):
		case typeName(t) == "time.Time":
			what = "a time in this machine's zone"
		case toFmt && !typesOnly:
			what = varies(t)
		}
		if what != "" {
			p.flag(a, "a component prints "+what)
		}
	}
}

// paramOf is the type of the i-th parameter.
func paramOf(sig *types.Signature, i int) types.Type {
	last := sig.Params().Len() - 1
	if last < 0 {
		return types.Typ[types.Invalid]
	}
	if sig.Variadic() && i >= last {
		return sig.Params().At(last).Type().(*types.Slice).Elem()
	}
	return sig.Params().At(min(i, last)).Type()
}

// varies says what fmt prints of a type that differs from run to run or by machine. It
// looks through the first pointer, as fmt does.
func varies(t types.Type) string {
	if ptr, ok := t.(*types.Pointer); ok && !printsItself(t) {
		t = ptr.Elem()
	}
	return partOf(t, true, func(t types.Type) string {
		if typeName(t) == "time.Time" {
			return "a time in this machine's zone"
		}
		switch under(t).(type) {
		case *types.Pointer, *types.Chan, *types.Signature:
			if !printsItself(t) {
				return "an address"
			}
		}
		return ""
	})
}

func printsItself(t types.Type) bool {
	methods := types.NewMethodSet(t)
	return methods.Lookup(nil, "String") != nil || methods.Lookup(nil, "Error") != nil
}
