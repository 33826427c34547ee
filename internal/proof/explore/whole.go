package explore

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// piece is memory that belongs to a state and may change.
type piece struct {
	from, to uintptr
	k        *codec // of what a pointer points to; nil: elements of a slice
}

// pieces are what an encoding has read, and where pointers lead.
type pieces struct {
	all   []piece
	leads []lead
}

type lead struct {
	at  uintptr
	k   *codec
	own bool // it leads to what may change, and is cloned
}

func (m *pieces) piece(p unsafe.Pointer, size uintptr, k *codec) {
	if m != nil && size > 0 {
		m.all = append(m.all, piece{uintptr(p), uintptr(p) + size, k})
	}
}

func (m *pieces) pointer(p unsafe.Pointer, k *codec, own bool) {
	if m != nil && k.typ.Size() > 0 {
		m.leads = append(m.leads, lead{uintptr(p), k, own})
	}
}

// whole says whether each pointer in what p points to leads to something whole. A
// pointer into the middle of something else (an element of a slice, a field of a
// struct) leads to a separate copy in a clone. whole looks only where pointers lead
// now, as a clone does.
func whole[T any](p *T) error {
	k := codecOf(reflect.TypeFor[T]())
	met := &pieces{}
	met.piece(unsafe.Pointer(p), k.typ.Size(), k)
	k.encode(&encoder{met: met}, unsafe.Pointer(p))
	return met.check()
}

func (m *pieces) check() error {
	slices.SortFunc(m.all, func(a, b piece) int { return cmp.Compare(a.from, b.from) })
	ends := make([]uintptr, len(m.all)) // the last end of the pieces so far, which may overlap
	var end uintptr
	for i := range m.all {
		end = max(end, m.all[i].to)
		ends[i] = end
	}
	for _, l := range m.leads {
		i, _ := slices.BinarySearchFunc(m.all, l.at, func(s piece, at uintptr) int { return cmp.Or(cmp.Compare(s.from, at), -1) })
		for i--; i >= 0 && ends[i] > l.at; i-- {
			s := m.all[i]
			if itself := l.own && s.from == l.at && s.k == l.k; s.to > l.at && !itself {
				return fmt.Errorf("a pointer to a %v leads into something else", l.k.typ)
			}
		}
	}
	return nil
}
