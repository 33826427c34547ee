package explore

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"acyclic/internal/kernel/actor"
)

// Loop is a component of the other kind: one whose handlers send into bounded
// channels and wait there. It is plain data. The explorer gets it for the
// negative control: it has to find the deadlocks that such components have.
type Loop interface {
	// Name is for people.
	Name() string
	// Selects are the channels it receives from when it has nothing else to do.
	Selects() []int
	// Receive handles a message and returns what the handler does, in order;
	// each of these may wait.
	Receive(ch int, msg any) []Op
	// Begin is what the loop does of its own accord when it has nothing else
	// to do; nil: nothing any more.
	Begin() []Op
}

// Op is one thing that a handler does and that may wait: a send into a channel
// that is full, or a receive of an answer that is not there yet.
type Op struct {
	Where string // the call, in btcd's words
	Chan  int
	Msg   any  // of a send
	Reply bool // receive the answer from Chan instead
	From  int  // ... which this loop gives
}

// Channel is a bounded channel.
type Channel struct {
	Name  string
	Cap   int
	Owner int // the loop that receives from it
}

// Topology is a program of loops and channels.
type Topology struct {
	Channels []Channel
	Loops    func() []Loop
}

// program is its state.
type program struct {
	Queued [][]any
	Loops  []Loop
	Todo   [][]Op // what is left of each loop's handler
}

// blocking makes a topology a model.
type blocking struct {
	*Topology
	seeds [2]maphash.Seed
	buf   []byte
	said  string
}

// ExploreBlocking visits every state of a topology until it finds loops that
// wait for each other.
func ExploreBlocking(t *Topology, b Bounds) Result {
	m := &blocking{Topology: t, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	loops := t.Loops()
	root := &program{Queued: make([][]any, len(t.Channels)), Loops: loops, Todo: make([][]Op, len(loops))}
	r, path := search(m, root, b)
	s := root
	for i, mv := range path {
		s, _ = m.step(s, mv)
		r.Trace = append(r.Trace, fmt.Sprintf("%3d  %s", i+1, m.said))
	}
	return r
}

func (m *blocking) hash(p *program) [2]uint64 {
	m.buf = encode(m.buf[:0], p)
	return [2]uint64{maphash.Bytes(m.seeds[0], m.buf), maphash.Bytes(m.seeds[1], m.buf)}
}

// own is the N of a loop's move of its own accord, and of the next thing that
// its handler does; otherwise N is the channel that it receives from.
const own = -1

func (m *blocking) moves(p *program, buf []Move) (all []Move, open bool) {
	for i, l := range p.Loops {
		if todo := p.Todo[i]; len(todo) > 0 {
			if m.waits(p, i) < 0 {
				buf = append(buf, Move{Kind: Take, Cell: actor.ID(i), N: own})
			}
			continue
		}
		for _, ch := range l.Selects() {
			if len(p.Queued[ch]) > 0 {
				buf = append(buf, Move{Kind: Take, Cell: actor.ID(i), N: int64(ch)})
			}
		}
		if c := clone(l); c.Begin() != nil {
			buf = append(buf, Move{Kind: Act, Cell: actor.ID(i), N: own})
		}
	}
	return buf, len(buf) > 0
}

// waits returns the loop that loop i waits for; -1: it does not wait.
func (m *blocking) waits(p *program, i int) int {
	if len(p.Todo[i]) == 0 {
		return -1
	}
	switch op := p.Todo[i][0]; {
	case op.Reply && len(p.Queued[op.Chan]) == 0:
		return op.From
	case !op.Reply && len(p.Queued[op.Chan]) == m.Channels[op.Chan].Cap:
		return m.Channels[op.Chan].Owner
	}
	return -1
}

func (m *blocking) step(was *program, mv Move) (*program, string) {
	p := clone(was)
	i := int(mv.Cell)
	name := p.Loops[i].Name()
	switch {
	case mv.Kind == Act:
		p.Todo[i] = p.Loops[i].Begin()
		m.said = fmt.Sprintf("%s begins: %s", name, p.Todo[i][0].Where)
	case mv.N == own:
		op := p.Todo[i][0]
		p.Todo[i] = p.Todo[i][1:]
		if op.Reply {
			p.Queued[op.Chan] = p.Queued[op.Chan][1:]
			m.said = fmt.Sprintf("%s returns from %s", name, op.Where)
		} else {
			p.Queued[op.Chan] = append(p.Queued[op.Chan], op.Msg)
			m.said = fmt.Sprintf("%s in %s sends to %s (%d of %d)", name, op.Where,
				m.Channels[op.Chan].Name, len(p.Queued[op.Chan]), m.Channels[op.Chan].Cap)
		}
	default:
		msg := p.Queued[mv.N][0]
		p.Queued[mv.N] = p.Queued[mv.N][1:]
		p.Todo[i] = p.Loops[i].Receive(int(mv.N), msg)
		m.said = fmt.Sprintf("%s receives %v from %s", name, msg, m.Channels[mv.N].Name)
	}
	if len(p.Todo[i]) == 0 {
		p.Todo[i] = nil
	}
	return p, m.deadlock(p)
}

// deadlock names a circle of loops that wait for each other; "": there is none.
func (m *blocking) deadlock(p *program) string {
	for first := range p.Loops {
		var circle []int
		for i := first; i >= 0 && !slices.Contains(circle, i); i = m.waits(p, i) {
			circle = append(circle, i)
			if m.waits(p, i) != first {
				continue
			}
			var words []string
			for _, j := range circle {
				words = append(words, fmt.Sprintf("%s waits in %s for %s",
					p.Loops[j].Name(), p.Todo[j][0].Where, p.Loops[m.waits(p, j)].Name()))
			}
			return "deadlock: " + strings.Join(words, "; ")
		}
	}
	return ""
}

func (m *blocking) judge(p *program) error {
	for i := range p.Loops {
		if len(p.Todo[i]) > 0 {
			return errors.New("deadlock: " + p.Loops[i].Name() + " waits in " + p.Todo[i][0].Where + " for ever")
		}
	}
	return nil
}
