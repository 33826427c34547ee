package relay

import (
	"bufio"
	"fmt"
	"io"
	"iter"

	"acyclic/internal/kernel/actor"
	"github.com/btcsuite/btcd/lib"
)

// trace keeps what it writes to and reads from.
type trace struct {
	w     io.Writer   // want "keeps what may wait .io.Writer."
	r     []io.Reader // want "keeps what may wait .io.Reader."
	flush interface { // want "keeps what may wait .an interface."
		Flush() error
	}
	err    error
	buf    *bufio.Writer // made of an io.Writer, which is flagged where it comes from
	hooks  hooks         // want "keeps a function"
	values iter.Seq[int] // want "keeps a function"
	//tidy:outside the wiring gives a buffer
	to io.Writer
}

type hooks []func()

func (t *trace) talks(b []byte) {
	fmt.Fprintln(t.w)
	io.ReadFull(t.r[0], b)
	fmt.Fprintln(lib.Out(), "x") // want "calls .*lib.Out, which uses os.Stderr"
}

func write(w io.Writer) { // want "a function of a component takes what may wait .io.Writer. from outside"
	fmt.Fprintln(w)
}

//tidy:outside always a buffer of the caller
func append2(w io.Writer) { fmt.Fprintln(w) }

// Hooks and the next ones take functions without a verdict.
func Hooks(hooks ...func()) {} // want "an exported function of a component takes a function from outside"

func Listed(l []func())                {} // want "takes a function from outside"
func Named(h hooks)                    {} // want "takes a function from outside"
func Mapped(m map[int]func())          {} // want "takes a function from outside"
func Struct(s struct{ f func() })      {} // want "takes a function from outside" "keeps a function"
func Pointed(h *lib.Hooked)            {} // want "takes a function from outside"
func Generic[F func()](f F)            {} // want "takes a function from outside"
func Many(w ...io.Writer)              {} // want "takes what may wait .io.Writer. from outside"
func Data(l []int, m map[int]*Machine) {}

func unpacked(in actor.Input, h any) {
	in.Body.(func())()   // want "takes a function out of an interface"
	h.(func())()         // want "takes a function out of an interface"
	_, _ = h.(io.Writer) // want "takes what may wait .io.Writer. out of an interface"
	_, _ = h.(int)
	switch b := in.Body.(type) {
	case func(): // want "takes a function out of an interface"
		b()
	case int, []func(): // want "takes a function out of an interface"
	case nil, error:
	}
	switch h {
	case nil, 3:
	}
}
