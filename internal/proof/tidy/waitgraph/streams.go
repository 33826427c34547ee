package waitgraph

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A calculating package that is given a reader or writer waits if that one does:
// fmt.Fprintln to a socket, io.Copy from a pipe. So readers and writers are traced to
// where they are made, see calm.
var (
	// memory are the readers and writers that wait for nothing, and hashes.
	memory = set("bytes.Buffer", "bytes.Reader", "strings.Builder", "strings.Reader", "hash.Hash", "hash.Hash32", "hash.Hash64",
		"fmt.State", "fmt.ScanState")

	// wrappers make a stream of one that they are given, and do not use it yet.
	wrappers = set("bufio.NewReader", "bufio.NewReaderSize", "bufio.NewWriter", "bufio.NewWriterSize", "bufio.NewReadWriter",
		"bufio.NewScanner", "io.LimitReader", "io.TeeReader", "io.NopCloser", "io.NewSectionReader", "io.NewOffsetWriter",
		"encoding/hex.NewEncoder", "encoding/hex.NewDecoder", "encoding/hex.Dumper",
		"encoding/base64.NewEncoder", "encoding/base64.NewDecoder")

	// wrapped are the types that wrappers make.
	wrapped = set("bufio.Reader", "bufio.Writer", "bufio.ReadWriter", "bufio.Scanner", "io.LimitedReader", "io.SectionReader", "io.OffsetWriter")

	// uncertain are functions of calculating packages that wait, or run unknown
	// code, without being given a reader or writer.
	uncertain = set("fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Scan", "fmt.Scanf", "fmt.Scanln",
		"(reflect.Value).Call", "(reflect.Value).CallSlice", "(reflect.Value).Send", "(reflect.Value).Recv", "reflect.Select",
		"runtime/debug.FreeOSMemory", "runtime/debug.WriteHeapDump", "runtime.ReadTrace", "runtime.GC")
)

// streams says whether a call of a calculating package may wait for a reader or
// writer that it is given.
func (s *places) streams(site ssa.CallInstruction) bool {
	c := site.Common()
	return !wrappers[calleeName(c)] &&
		slices.ContainsFunc(streamsOf(c), func(v ssa.Value) bool { return !s.calm(v, map[ssa.Value]bool{}) })
}

// streamsOf are the readers and writers among a call's receiver and arguments.
func streamsOf(c *ssa.CallCommon) (all []ssa.Value) {
	args := c.Args
	if c.IsInvoke() {
		args = append([]ssa.Value{c.Value}, args...)
	}
	for _, a := range args {
		if isStream(a.Type()) {
			all = append(all, a)
		}
	}
	return all
}

// isStream says whether values of a type can be read, written or closed.
func isStream(t types.Type) bool {
	methods := types.NewMethodSet(t)
	for _, name := range []string{"Read", "Write", "ReadByte", "WriteByte", "ReadRune", "ReadFrom", "WriteTo", "ReadAt", "WriteAt",
		"WriteString", "Scan", "Close", "Seek"} {
		if methods.Lookup(nil, name) != nil {
			return true
		}
	}
	return false
}

// calm says whether a reader or writer never waits unseen: wherever it comes from, it
// is in memory, or its type's code is loaded and so among the functions called.
func (s *places) calm(v ssa.Value, asked map[ssa.Value]bool) bool {
	if asked[v] {
		return true
	}
	asked[v] = true
	calm := true
	judge := func(v ssa.Value) {
		if !calm || s.calmType(v.Type()) {
			return
		}
		if load, ok := v.(*ssa.UnOp); ok {
			if g, ok := load.X.(*ssa.Global); ok && g.String() == "io.Discard" {
				return
			}
		}
		call, ok := v.(*ssa.Call)
		if e, isOne := v.(*ssa.Extract); isOne {
			call, ok = e.Tuple.(*ssa.Call)
		}
		calm = ok && wrappers[calleeName(&call.Call)] &&
			!slices.ContainsFunc(streamsOf(&call.Call), func(v ssa.Value) bool { return !s.calm(v, asked) }) &&
			len(streamsOf(&call.Call)) > 0
	}
	f := &finder{end: judge, boxed: func(x ssa.Value) {
		if calm && !s.calmType(x.Type()) {
			calm = wrapped[typeName(x.Type())] && s.calm(x, asked)
		}
	}}
	s.trace(v, map[any]bool{}, f)
	return calm && !f.lost
}

// calmType says whether the type alone tells that its methods never wait unseen.
func (s *places) calmType(t types.Type) bool {
	if memory[typeName(t)] {
		return true
	}
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && !types.IsInterface(t) && named.Obj().Pkg() != nil && !s.isStd(named.Obj().Pkg())
}

// typeName is the full name of a type, or of the type to which it points.
func typeName(t types.Type) string {
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

// streamMethods are the loaded methods of a reader or writer. Code that is not loaded
// may call them when it is given the stream.
func (r *reader) streamMethods(v ssa.Value) (fns []*ssa.Function) {
	i, ok := v.Type().Underlying().(*types.Interface)
	if !ok || !isStream(v.Type()) {
		return nil
	}
	f := &finder{boxed: func(x ssa.Value) {
		for m := range i.Methods() {
			if fn := r.fn.Prog.LookupMethod(x.Type(), m.Pkg(), m.Name()); fn != nil && fn.Blocks != nil && !slices.Contains(fns, fn) {
				fns = append(fns, fn)
			}
		}
	}}
	r.trace(v, map[any]bool{}, f)
	r.sort(fns)
	return fns
}
