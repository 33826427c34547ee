package explore

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"

	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// codec knows how to encode and to clone the values of one type. It is made
// once per type by reflection. Unexported fields are reached by their offset.
type codec struct {
	typ reflect.Type
	// encode appends the value at p in its one canonical form.
	encode func(e *encoder, p unsafe.Pointer)
	// clone copies what src refers to, for dst, which has the bits of src
	// already. Nil: the bits are the copy.
	clone func(c *cloner, dst, src unsafe.Pointer)
	// number stands for the type in an interface. direct says that the value is
	// itself the interface's second word.
	number uint64
	direct bool
}

// encoder is one encoding under way.
type encoder struct {
	buf  []byte
	seen map[seen]int // the numbers of the pointers so far
	met  *pieces      // the memory that it has read; nil: it is not noted
}

// cloner is one cloning under way. Pointers that are the same stay the same.
type cloner struct{ made map[seen]unsafe.Pointer }

type seen struct {
	p unsafe.Pointer
	c *codec
}

func (e *encoder) num(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }

func (e *encoder) text(s string) {
	e.num(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// encode appends the canonical encoding of what p points to.
func encode[T any](buf []byte, p *T) []byte {
	e := encoder{buf: buf}
	codecOf(reflect.TypeFor[T]()).encode(&e, unsafe.Pointer(p))
	return e.buf
}

// clone returns a deep copy of v.
func clone[T any](v T) T {
	dst := v
	if k := codecOf(reflect.TypeFor[T]()); k.clone != nil {
		k.clone(&cloner{}, unsafe.Pointer(&dst), unsafe.Pointer(&v))
	}
	return dst
}

var (
	codecsMu sync.Mutex
	codecs   = map[reflect.Type]*codec{}
)

// codecOf returns the codec of a type.
func codecOf(t reflect.Type) *codec {
	codecsMu.Lock()
	defer codecsMu.Unlock()
	return compile(t)
}

// skipped are fields that no code reads to decide what to do. They are kept and not
// compared.
var skipped = map[reflect.Type][]string{
	reflect.TypeFor[mailbox.Envelope](): {"Queued"}, // for the figures of law L12
}

// opaque are types that are not compared. Each decides nothing, or repeats what the
// rest of the state says.
var opaque = map[reflect.Type]bool{
	reflect.TypeFor[mailbox.Counts](): true, // figures of law L12
	reflect.TypeFor[shared]():         true,
	reflect.TypeFor[*cell.Kind]():     true,
}

// immutable says whether what t points to never changes once it is shared: blocks,
// headers and messages of the wire, network parameters, errors.
func immutable(t reflect.Type) bool {
	pkg := t.Elem().PkgPath()
	return strings.HasPrefix(pkg, "github.com/btcsuite/btcd/") || pkg == "errors" || pkg == "fmt"
}

// compile makes a codec. It is entered in the table before its parts are made,
// for types that contain themselves.
func compile(t reflect.Type) *codec {
	if k := codecs[t]; k != nil {
		return k
	}
	k := &codec{typ: t, number: uint64(len(codecs)) + 1, direct: t.Kind() != reflect.Interface && direct(t)}
	codecs[t] = k
	switch {
	case opaque[t]:
		k.encode = func(*encoder, unsafe.Pointer) {}
	case t == reflect.TypeFor[time.Time]():
		k.encode = func(e *encoder, p unsafe.Pointer) {
			at := *(*time.Time)(p)
			if at.IsZero() {
				e.buf = append(e.buf, 0)
				return
			}
			e.buf = binary.LittleEndian.AppendUint64(append(e.buf, 1), uint64(at.UnixNano()))
		}
	case t == reflect.TypeFor[netip.Addr]():
		k.encode = func(e *encoder, p unsafe.Pointer) { e.text((*netip.Addr)(p).String()) }
	case t.Name() == "ring" && t.PkgPath() == reflect.TypeFor[mailbox.Box]().PkgPath():
		compileRing(k)
	default:
		compileKind(k)
	}
	return k
}

func compileKind(k *codec) {
	switch t := k.typ; t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		k.encode = func(e *encoder, p unsafe.Pointer) { e.buf = append(e.buf, *(*byte)(p)) }
	case reflect.Int16, reflect.Uint16:
		k.encode = func(e *encoder, p unsafe.Pointer) { e.num(uint64(*(*uint16)(p))) }
	case reflect.Int32, reflect.Uint32, reflect.Float32:
		k.encode = func(e *encoder, p unsafe.Pointer) { e.num(uint64(*(*uint32)(p))) }
	case reflect.Int, reflect.Uint, reflect.Uintptr, reflect.Int64, reflect.Uint64, reflect.Float64:
		k.encode = func(e *encoder, p unsafe.Pointer) { e.num(*(*uint64)(p)) }
	case reflect.String:
		k.encode = func(e *encoder, p unsafe.Pointer) { e.text(*(*string)(p)) }
	case reflect.Struct:
		compileStruct(k)
	case reflect.Array:
		compileArray(k)
	case reflect.Slice:
		compileSlice(k)
	case reflect.Map:
		compileMap(k)
	case reflect.Pointer:
		compilePointer(k)
	case reflect.Interface:
		compileInterface(k)
	default: // functions and channels are not plain data
		k.encode = func(_ *encoder, p unsafe.Pointer) {
			if *(*unsafe.Pointer)(p) != nil {
				panic(fmt.Sprintf("explore: a %v is not plain data", t))
			}
		}
	}
}
