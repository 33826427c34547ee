package waitgraph

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

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
