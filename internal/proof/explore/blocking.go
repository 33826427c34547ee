package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"acyclic/internal/kernel/actor"
)

// Loop is a component of the other kind: its handlers send into bounded channels and
// wait there. It is plain data. Loops are the explorer's negative control, which must
// find their deadlocks.
type Loop interface {
	// Name is for people.
	Name() string
	// Selects are the channels that an idle loop receives from.
	Selects() []int
	// Receive handles a message. It returns what the handler does, in order.
	Receive(ch int, msg any) []Op
	// Begin is what an idle loop does unasked. Nil: nothing any more.
	Begin() []Op
}

// Op is one act of a handler, which may wait: a send into a full channel, or the
// receive of an answer that has not come.
type Op struct {
	Where string // the call, in btcd's words
	Chan  int
	Msg   any  // of a send
	Reply bool // it receives the answer from Chan
	From  int  // the loop that gives the answer
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
	names names
	buf   []byte
	said  string
}

// ExploreBlocking visits every state of a topology until it finds loops that
// wait for each other.
func ExploreBlocking(t *Topology, b Bounds) Result {
	m := &blocking{Topology: t, names: newNames()}
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

func (m *blocking) hash(p *program) name {
	m.buf = encode(m.buf[:0], p)
	return m.names.of(m.buf)
}

// own is the N of a move in which a loop begins something, or goes on with its
// handler. In other moves N is the channel that it receives from.
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

// waits returns the loop that loop i waits for, or -1 if it does not wait.
func (m *blocking) waits(p *program, i int) int {
	if len(p.Todo[i]) == 0 {
		return -1
	}
	op := p.Todo[i][0]
	ch := m.Channels[op.Chan]
	switch n := len(p.Queued[op.Chan]); {
	case op.Reply && n == 0:
		return op.From
	case !op.Reply && n == ch.Cap:
		return ch.Owner
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
		p.Todo[i] = nil // one encoding
	}
	return p, m.deadlock(p)
}

// deadlock names a circle of loops that wait for each other, or returns "".
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
