package chain

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// Machine is the chain processor. It is plain data.
type Machine struct {
	cfg    Bounds
	ports  Ports
	topics Topics

	// Submissions, in the order of their numbers: those not asked, and those
	// asked at the worker by ticket.
	queue []submission
	asked map[actor.Ticket]submission
	next  uint64 // the number of the next submission
	retry time.Time

	// What the worker has reported.
	tips    Tips // known when started
	started bool
	seen    uint64       // number of the last event published
	catchUp actor.Ticket // of the open CatchUp; zero: none
	behind  bool         // an answer was lost: ask CatchUp
	failed  string       // why the engine is of no use any more; "": it is

	// Reads that the engine is looking up, and GetTips that wait for started.
	reads     map[actor.Ticket]actor.RawCall
	wantsTips []actor.RawCall
}

// submission is one SubmitHeaders or SubmitBlock.
type submission struct {
	number  uint64
	call    actor.RawCall
	headers []*wire.BlockHeader
	block   *wire.MsgBlock // nil: headers
	hash    chainhash.Hash
	source  actor.ID
}

// New returns the machine.
func New(cfg Bounds, ports Ports, topics Topics) *Machine {
	return &Machine{
		cfg: cfg, ports: ports, topics: topics,
		asked: map[actor.Ticket]submission{},
		reads: map[actor.Ticket]actor.RawCall{},
	}
}

// Step handles one input.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		m.behind = true // the worker may have been working for a while
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:

	case SubmitHeaders:
		m.onSubmit(submission{call: in.Call, headers: b.Headers}, out)
	case SubmitBlock:
		m.onSubmit(submission{call: in.Call, block: b.Block, hash: b.Hash, source: b.Source}, out)
	case HeadersApplied:
		m.onHeadersApplied(in, b, out)
	case BlockApplied:
		m.onBlockApplied(in, b, out)
	case CaughtUp:
		m.onCaughtUp(in, b, out)

	case GetTips:
		m.onGetTips(in, out)
	case GetTemplate:
		forward(m, in, m.ports.Template, b, out)
	case GetLocator:
		forward(m, in, m.ports.Locator, b, out)
	case GetPath:
		forward(m, in, m.ports.Path, b, out)
	case GetForks:
		forward(m, in, m.ports.Forks, b, out)
	case GetHeaders:
		forward(m, in, m.ports.GetHeaders, b, out)
	case GetHashes:
		forward(m, in, m.ports.GetHashes, b, out)
	case GetBlock:
		forward(m, in, m.ports.GetBlock, b, out)
	case GetHash:
		forward(m, in, m.ports.GetHash, b, out)
	case GetHeader:
		forward(m, in, m.ports.GetHeader, b, out)

	case Template:
		deliver(m, in, b, out)
	case Locator:
		deliver(m, in, b, out)
	case Path:
		deliver(m, in, b, out)
	case Forks:
		deliver(m, in, b, out)
	case Headers:
		deliver(m, in, b, out)
	case Hashes:
		deliver(m, in, b, out)
	case Block:
		deliver(m, in, b, out)
	case HashAt:
		deliver(m, in, b, out)
	case HeaderInfo:
		deliver(m, in, b, out)

	default:
		panic(fmt.Sprintf("chain: cannot handle %T", b))
	}
	m.pump(now, out)
}

// Deadline is when a place at the worker is looked for again. It is needed only
// when no answer is to come that would wake the machine (law L9).
func (m *Machine) Deadline() time.Time {
	if !m.wants() || len(m.asked) > 0 || m.catchUp != 0 {
		return time.Time{}
	}
	return m.retry
}

// wants says whether there is something to ask the worker.
func (m *Machine) wants() bool {
	return m.failed == "" && (m.behind || len(m.queue) > 0)
}

// Check verifies the invariants.
func (m *Machine) Check() error {
	switch {
	case len(m.asked) > m.cfg.Window:
		return fmt.Errorf("chain: %d submissions asked, the window is %d", len(m.asked), m.cfg.Window)
	case !slices.IsSortedFunc(m.queue, inOrder):
		return errors.New("chain: the queue is out of order")
	case m.failed != "" && len(m.queue) > 0:
		return errors.New("chain: submissions wait for an engine that has failed")
	case m.started && len(m.wantsTips) > 0:
		return errors.New("chain: the tips are known and somebody waits for them")
	case m.wants() && len(m.asked) == 0 && m.catchUp == 0 && m.retry.IsZero():
		return errors.New("chain: there is work, and nothing that would wake the machine")
	}
	for _, s := range m.queue {
		if s.number >= m.next || s.call == (actor.RawCall{}) {
			return fmt.Errorf("chain: submission %d of %d has nobody to answer", s.number, m.next)
		}
	}
	return nil
}
