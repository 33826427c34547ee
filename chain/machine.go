package chain

import (
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// Machine is the chain processor. It is plain data.
type Machine struct {
	ports  Ports
	topics Topics

	// Work for the worker, a queue for each kind. pump says in which order.
	headers   queue[headersWork]
	blocks    queue[blockWork]
	templates queue[templateWork]

	// What the worker has reported.
	tips       Tips // known when started
	started    bool
	seen       uint64 // number of the last event published
	catchingUp bool   // CatchUp is asked
	behind     bool   // an answer was lost: ask CatchUp
	failed     string // why the engine is of no use any more; "": it is

	wantsTips []actor.Call[Tips] // GetTips that wait for started
}

// The kinds of work.
type (
	headersWork struct {
		call    actor.Call[HeadersVerdict]
		headers []*wire.BlockHeader
	}
	blockWork struct {
		call   actor.Call[Verdict]
		block  *wire.MsgBlock
		hash   chainhash.Hash
		source actor.ID
	}
	templateWork struct {
		call actor.Call[Template]
		time time.Time
	}
)

// New returns the machine.
func New(ports Ports, topics Topics) *Machine {
	return &Machine{ports: ports, topics: topics}
}

// Step handles one input.
func (m *Machine) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		m.behind = true // the worker may have been working for a while
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Freed: // pump asks again

	case SubmitHeaders:
		m.onSubmitHeaders(b, b.Call(in), out)
	case SubmitBlock:
		m.onSubmitBlock(b, b.Call(in), out)
	case GetTips:
		m.onGetTips(b.Call(in), out)
	case GetTemplate:
		m.onGetTemplate(b, b.Call(in), out)

	case HeadersApplied:
		m.onHeadersApplied(in, b, out)
	case BlockApplied:
		m.onBlockApplied(in, b, out)
	case CaughtUp:
		m.onCaughtUp(in, b, out)
	case Made:
		m.onMade(in, b, out)

	default:
		panic(fmt.Sprintf("chain: cannot handle %T", b))
	}
	m.pump(out)
}

// Deadline is never: what chain waits for is an answer, and each answer comes.
func (m *Machine) Deadline() time.Time { return time.Time{} }

// Check verifies the invariants.
func (m *Machine) Check() error {
	switch {
	case m.failed != "" && len(m.headers.waits)+len(m.blocks.waits)+len(m.templates.waits) > 0:
		return errors.New("chain: work waits for an engine that has failed")
	case m.started && len(m.wantsTips) > 0:
		return errors.New("chain: the tips are known and somebody waits for them")
	}
	return errors.Join(m.headers.check(), m.blocks.check(), m.templates.check())
}

// onGetTips answers from the state, as soon as it is known.
func (m *Machine) onGetTips(call actor.Call[Tips], out *actor.Outbox) {
	switch {
	case m.started:
		call.Answer(out, m.tips)
	case m.failed != "":
		call.Refuse(out)
	default:
		m.wantsTips = append(m.wantsTips, call)
	}
}
