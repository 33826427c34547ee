package explore

import (
	"reflect"
	"slices"
	"unsafe"

	"acyclic/internal/kernel/mailbox"
)

type field struct {
	at uintptr
	k  *codec
}

func compileStruct(k *codec) {
	var fields, compared []field
	for i := range k.typ.NumField() {
		f := k.typ.Field(i)
		if f.Type.Size() == 0 {
			continue
		}
		fields = append(fields, field{f.Offset, compile(f.Type)})
		if !slices.Contains(skipped[k.typ], f.Name) {
			compared = append(compared, fields[len(fields)-1])
		}
	}
	k.encode = func(e *encoder, p unsafe.Pointer) {
		for _, f := range compared {
			f.k.encode(e, unsafe.Add(p, f.at))
		}
	}
	if slices.ContainsFunc(fields, func(f field) bool { return deep(f.k) }) {
		k.clone = func(c *cloner, dst, src unsafe.Pointer) {
			for _, f := range fields {
				if f.k.clone != nil {
					f.k.clone(c, unsafe.Add(dst, f.at), unsafe.Add(src, f.at))
				}
			}
		}
	}
}

// deep says whether a clone may need more than a copy of the bits. A type that contains
// itself may: its codec is not finished yet.
func deep(k *codec) bool { return k.clone != nil || k.encode == nil }

func compileArray(k *codec) {
	elem, n, size := compile(k.typ.Elem()), k.typ.Len(), k.typ.Elem().Size()
	if k.typ.Elem().Kind() == reflect.Uint8 {
		k.encode = func(e *encoder, p unsafe.Pointer) { e.buf = append(e.buf, unsafe.Slice((*byte)(p), n)...) }
		return
	}
	k.encode = func(e *encoder, p unsafe.Pointer) {
		for i := range n {
			elem.encode(e, unsafe.Add(p, uintptr(i)*size))
		}
	}
	if deep(elem) {
		k.clone = func(c *cloner, dst, src unsafe.Pointer) {
			for i := range n {
				elem.clone(c, unsafe.Add(dst, uintptr(i)*size), unsafe.Add(src, uintptr(i)*size))
			}
		}
	}
}

// slice is how a slice lies in memory.
type slice struct {
	p        unsafe.Pointer
	len, cap int
}

// compileSlice tells a nil slice from an empty one, as a machine can.
func compileSlice(k *codec) {
	typ, elem, size := k.typ, compile(k.typ.Elem()), k.typ.Elem().Size()
	k.encode = func(e *encoder, p unsafe.Pointer) {
		s := (*slice)(p)
		if s.p == nil {
			e.buf = append(e.buf, 0)
			return
		}
		e.met.piece(s.p, uintptr(s.cap)*size, nil)
		e.num(uint64(s.len) + 1)
		if typ.Elem().Kind() == reflect.Uint8 {
			e.buf = append(e.buf, unsafe.Slice((*byte)(s.p), s.len)...)
			return
		}
		for i := range s.len {
			elem.encode(e, unsafe.Add(s.p, uintptr(i)*size))
		}
	}
	k.clone = func(c *cloner, dst, src unsafe.Pointer) {
		s := (*slice)(src)
		if s.p == nil {
			return
		}
		v := reflect.MakeSlice(typ, s.len, s.len)
		reflect.Copy(v, reflect.NewAt(typ, src).Elem())
		p := v.UnsafePointer()
		if elem.clone != nil {
			for i := range s.len {
				elem.clone(c, unsafe.Add(p, uintptr(i)*size), unsafe.Add(s.p, uintptr(i)*size))
			}
		}
		*(*slice)(dst) = slice{p, s.len, s.len}
	}
}

// compileMap tells a nil map from an empty one. Entries stand in the order of their
// encoded keys, which every run and every history has in common. Keys hold no
// pointers to what changes.
func compileMap(k *codec) {
	typ, key, val := k.typ, compile(k.typ.Key()), compile(k.typ.Elem())
	k.encode = func(e *encoder, p unsafe.Pointer) {
		m := reflect.NewAt(typ, p).Elem()
		if m.IsNil() {
			e.buf = append(e.buf, 0)
			return
		}
		n := m.Len()
		if e.num(uint64(n) + 1); n == 0 {
			return
		}
		type entry struct {
			name []byte
			val  unsafe.Pointer
		}
		entries := make([]entry, 0, n)
		for it := m.MapRange(); it.Next(); {
			name := encoder{}
			key.encode(&name, copied(it.Key()).UnsafePointer())
			entries = append(entries, entry{name.buf, copied(it.Value()).UnsafePointer()})
		}
		slices.SortFunc(entries, func(a, b entry) int { return slices.Compare(a.name, b.name) })
		for _, en := range entries {
			e.buf = append(e.buf, en.name...)
			val.encode(e, en.val)
		}
	}
	k.clone = func(c *cloner, dst, src unsafe.Pointer) {
		m := reflect.NewAt(typ, src).Elem()
		if m.IsNil() {
			return
		}
		made := reflect.MakeMapWithSize(typ, m.Len())
		for it := m.MapRange(); it.Next(); {
			v := copied(it.Value())
			if val.clone != nil {
				val.clone(c, v.UnsafePointer(), copied(it.Value()).UnsafePointer())
			}
			made.SetMapIndex(it.Key(), v.Elem())
		}
		reflect.NewAt(typ, dst).Elem().Set(made)
	}
}

// copied returns a pointer to a copy of v's bits.
func copied(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p
}

// compilePointer numbers the pointers. A pointer that comes again is encoded as its
// number, and cloned to the same clone.
func compilePointer(k *codec) {
	elem, typ, shared := compile(k.typ.Elem()), k.typ.Elem(), immutable(k.typ)
	k.encode = func(e *encoder, p unsafe.Pointer) {
		to := *(*unsafe.Pointer)(p)
		if to == nil {
			e.buf = append(e.buf, 0)
			return
		}
		e.met.pointer(to, elem, !shared)
		if shared {
			e.buf = append(e.buf, 1)
			met := e.met
			e.met = nil // what is in there never changes
			elem.encode(e, to)
			e.met = met
			return
		}
		id := seen{to, elem}
		if n, ok := e.seen[id]; ok {
			e.num(uint64(n) + 2)
			return
		}
		if e.seen == nil {
			e.seen = map[seen]int{}
		}
		e.seen[id] = len(e.seen)
		e.met.piece(to, typ.Size(), elem)
		e.buf = append(e.buf, 1)
		elem.encode(e, to)
	}
	if shared {
		return
	}
	k.clone = func(c *cloner, dst, src unsafe.Pointer) {
		to := *(*unsafe.Pointer)(src)
		if to == nil {
			return
		}
		id := seen{to, elem}
		made, ok := c.made[id]
		if !ok {
			made = copied(reflect.NewAt(typ, to).Elem()).UnsafePointer()
			if c.made == nil {
				c.made = map[seen]unsafe.Pointer{}
			}
			c.made[id] = made
			if elem.clone != nil {
				elem.clone(c, made, to)
			}
		}
		*(*unsafe.Pointer)(dst) = made
	}
}

// compileInterface encodes the type's number, then the value. In memory an
// interface is two words. The second one is the value, or points to it.
func compileInterface(k *codec) {
	typ := k.typ
	word := func(p unsafe.Pointer) *unsafe.Pointer { return &(*[2]unsafe.Pointer)(p)[1] }
	k.encode = func(e *encoder, p unsafe.Pointer) {
		v := reflect.NewAt(typ, p).Elem().Elem()
		if !v.IsValid() {
			e.buf = append(e.buf, 0)
			return
		}
		c := codecOf(v.Type())
		e.num(c.number)
		if c.direct {
			c.encode(e, unsafe.Pointer(word(p)))
		} else {
			c.encode(e, *word(p))
		}
	}
	k.clone = func(c *cloner, dst, src unsafe.Pointer) {
		v := reflect.NewAt(typ, src).Elem().Elem()
		if !v.IsValid() {
			return
		}
		t := codecOf(v.Type())
		switch {
		case t.clone == nil:
		case t.direct:
			t.clone(c, unsafe.Pointer(word(dst)), unsafe.Pointer(word(src)))
		default:
			made := copied(reflect.NewAt(t.typ, *word(src)).Elem()).UnsafePointer()
			t.clone(c, made, *word(src))
			*word(dst) = made
		}
	}
}

// direct says whether a value of type t is itself the second word of an interface.
// The word of a zero value is then nil.
func direct(t reflect.Type) bool {
	zero := reflect.Zero(t).Interface()
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&zero))[1] == nil
}

// compileRing encodes what is queued in a ring. Where the ring begins in its memory,
// and what is left there of before, makes no difference.
func compileRing(k *codec) {
	type ring struct { // as in package mailbox
		buf          []mailbox.Envelope
		head, n, max int
	}
	if k.typ.Size() != unsafe.Sizeof(ring{}) {
		panic("explore: a mailbox's ring has changed")
	}
	one := compile(reflect.TypeFor[mailbox.Envelope]())
	k.encode = func(e *encoder, p unsafe.Pointer) {
		r := (*ring)(p)
		e.num(uint64(r.max))
		e.num(uint64(r.n))
		for i := range r.n {
			one.encode(e, unsafe.Pointer(&r.buf[(r.head+i)%len(r.buf)]))
		}
	}
	k.clone = func(c *cloner, dst, src unsafe.Pointer) {
		r, d := (*ring)(src), (*ring)(dst)
		d.buf, d.head = nil, 0
		if r.n > 0 {
			d.buf = make([]mailbox.Envelope, r.n)
		}
		for i := range r.n {
			from := &r.buf[(r.head+i)%len(r.buf)]
			d.buf[i] = *from
			if one.clone != nil {
				one.clone(c, unsafe.Pointer(&d.buf[i]), unsafe.Pointer(from))
			}
		}
	}
}
