package main

import (
	"bytes"
	"cmp"
	"slices"
)

// edits change a file without moving its lines, so that a stack trace of a mutant has
// the lines that a reader sees.
type edits []edit

// edit replaces bytes of a file. One that only inserts has from equal to to.
type edit struct {
	from, to int
	text     string
	opens    int // of an insertion before something: where that ends
	closes   int // of an insertion behind something: where that begins, plus one
	seq      int
}

func (e *edits) add(x edit) {
	x.seq = len(*e)
	*e = append(*e, x)
}

func (e *edits) insert(at int, text string) { e.add(edit{from: at, to: at, text: text, opens: at}) }

func (e *edits) replace(from, to int, text string) {
	e.add(edit{from: from, to: to, text: text, opens: -1})
}

// wrap puts text before and behind the bytes from until to.
func (e *edits) wrap(from, to int, before, behind string) {
	e.add(edit{from: from, to: from, text: before, opens: to})
	e.add(edit{from: to, to: to, text: behind, closes: from + 1})
}

// order puts what closes before what opens at the same place. The inner one closes
// first, and the outer one opens first.
func (a edit) order(b edit) int {
	if a.from != b.from {
		return cmp.Compare(a.from, b.from)
	}
	switch ac, bc := a.closes > 0, b.closes > 0; {
	case ac && bc:
		return cmp.Or(-cmp.Compare(a.closes, b.closes), -cmp.Compare(a.seq, b.seq))
	case ac:
		return -1
	case bc:
		return 1
	}
	return cmp.Or(-cmp.Compare(a.opens, b.opens), cmp.Compare(a.seq, b.seq))
}

func (e edits) apply(source []byte) []byte {
	sorted := slices.SortedFunc(slices.Values(e), edit.order)
	var out bytes.Buffer
	at := 0
	for _, x := range sorted {
		out.Write(source[at:x.from])
		out.WriteString(x.text)
		at = x.to
	}
	out.Write(source[at:])
	return out.Bytes()
}
