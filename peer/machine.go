package peer

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// Config is what the wiring gives every peer cell.
type Config struct {
	Bounds

	// Services are what our version message says we offer.
	Services wire.ServiceFlag
	// UserAgent is ours (BIP14), at most 256 bytes.
	UserAgent string
	// WantTxs asks peers to relay transactions to us (BIP37). Without it
	// (--blocksonly) a peer that does so is disconnected.
	WantTxs bool
	// NonceKey is the secret by which the process recognises the nonces of
	// its own version messages. It is the same for all peer cells.
	NonceKey [32]byte
}

// Ports is the transport adapter, which a peer cell tells Bind, Write and Close.
type Ports struct{ Adapter actor.ID }

// state is where the connection is, see the package's picture.
type state uint8

const (
	dialled  state = iota // our version is sent, theirs is awaited
	accepted              // theirs is awaited, then ours is sent
	greeted               // both are exchanged and our verack sent; theirs is awaited
	ready                 // the handshake is done
	gone                  // the cell has finished
)

func (s state) String() string {
	return [...]string{"dialled", "accepted", "greeted", "ready", "gone"}[s]
}

// Machine is one peer.
type Machine struct {
	id     actor.ID
	arg    Arg
	cfg    Config
	ports  Ports
	topics Topics
	rng    *rand.Rand

	state     state
	opened    bool      // Ready was published
	connected time.Time // when the cell started
	lastRecv  time.Time // when a message last arrived; connected before the first
	version   Ready     // what the peer has said of itself so far

	theirHeaders bool // sendheaders was received (BIP130)
	pings
	queue
	asked
	figures
}

// New returns the peer cell id for the connection arg.Conn.
func New(id actor.ID, arg Arg, cfg Config, ports Ports, topics Topics, rng *rand.Rand) *Machine {
	m := &Machine{id: id, arg: arg, cfg: cfg, ports: ports, topics: topics, rng: rng}
	m.version = Ready{Peer: id, Remote: arg.Remote, Local: arg.Local, Inbound: arg.Inbound, Manual: arg.Manual, BlockRelayOnly: arg.BlockRelayOnly}
	m.sentByCommand, m.recvByCommand = map[string]uint64{}, map[string]uint64{}
	return m
}

// Step handles one input.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if m.state == gone { // what is left in the mailbox; the driver settles questions
		return
	}
	switch b := in.Body.(type) {
	case actor.Start:
		m.onStart(now, b, out)
	case actor.Stop:
		m.becomeGone(out, "the node is stopping", false)
	case actor.End:
		m.becomeGone(out, b.Reason, b.Fault)
	case actor.Tick:
		m.onTick(now, out)
	case Received:
		m.onReceived(now, b, out)
	case Flushed:
		m.onFlushed(now, b, out)
	case EOF:
		m.becomeGone(out, b.Reason, b.Fault)
	case Broken:
		m.becomeGone(out, b.Reason, false)
	case Send:
		m.onSend(now, b, b.Call(in), out)
	case GetInfo:
		b.Call(in).Answer(out, m.info(now))
	default:
		panic(fmt.Sprintf("peer: given a %T", in.Body))
	}
}

// onStart claims the connection and, outbound, speaks first. A cell that crashed
// does not go on: what it had written is unknown.
func (m *Machine) onStart(now time.Time, in actor.Start, out *actor.Outbox) {
	m.connected, m.lastRecv = now, now
	out.Tell(m.ports.Adapter, Bind{Conn: m.arg.Conn})
	if in.Generation > 0 {
		m.becomeGone(out, "the connection's cell crashed", false)
		return
	}
	if m.arg.Inbound {
		m.state = accepted
		return
	}
	m.state = dialled
	m.write(now, out, m.ourVersion(now))
}

// becomeGone ends the connection: what is queued is still written by the adapter.
func (m *Machine) becomeGone(out *actor.Outbox, reason string, fault bool) {
	if m.state == gone {
		panic("peer: gone twice")
	}
	out.Log(actor.Debug, "peer gone", "peer", m.id, "addr", m.arg.Remote, "state", m.state, "reason", reason, "fault", fault)
	m.state = gone
	if m.opened {
		m.topics.Lifecycle.Close(out, Gone{Peer: m.id, Remote: m.arg.Remote, Reason: reason, Fault: fault})
	}
	out.Tell(m.ports.Adapter, Close{Conn: m.arg.Conn, Drain: true})
	out.Finish(reason)
}

// onTick acts on the deadline that has come. Each is derived from the state (law L9).
func (m *Machine) onTick(now time.Time, out *actor.Outbox) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case due(m.handshakeDue()):
		m.becomeGone(out, fmt.Sprintf("no handshake within %v", m.cfg.Handshake), false)
	case due(m.stuckDue()):
		m.becomeGone(out, fmt.Sprintf("does not read: nothing was written for %v", m.cfg.Stuck), false)
	case due(m.pongDue()):
		m.becomeGone(out, fmt.Sprintf("no pong within %v", m.cfg.PongWithin), false)
	case due(m.silenceDue()):
		m.becomeGone(out, fmt.Sprintf("silent for %v", m.cfg.Silence), false)
	case due(m.pingDue()):
		m.ping(now, out)
	}
}

// Deadline is the earliest of what the state waits for.
func (m *Machine) Deadline() time.Time {
	if m.state == gone {
		return time.Time{}
	}
	var first actor.Earliest
	first.Add(m.handshakeDue(), m.stuckDue(), m.pongDue(), m.silenceDue(), m.pingDue())
	return first.At()
}

func (m *Machine) handshakeDue() time.Time {
	if m.state == ready {
		return time.Time{}
	}
	return m.connected.Add(m.cfg.Handshake)
}

func (m *Machine) silenceDue() time.Time {
	if m.state != ready {
		return time.Time{} // the handshake's own clock runs
	}
	return m.lastRecv.Add(m.cfg.Silence)
}

// Check verifies the invariants.
func (m *Machine) Check() error {
	switch {
	case m.opened != (m.state == ready) && m.state != gone:
		return fmt.Errorf("state %v, but opened is %v", m.state, m.opened)
	case m.flushed.bytes > m.written.bytes || m.flushed.msgs > m.written.msgs:
		return fmt.Errorf("flushed %+v of %+v", m.flushed, m.written)
	case len(m.held) > m.cfg.HeldSends:
		return fmt.Errorf("%d Sends are held, at most %d may", len(m.held), m.cfg.HeldSends)
	case len(m.held) > 0 && m.queued() < m.cfg.QueueCap:
		return fmt.Errorf("Sends are held while only %d bytes are queued", m.queued())
	case m.state != gone && m.queued() > m.cfg.QueueMax:
		return fmt.Errorf("%d bytes are queued, at most %d may", m.queued(), m.cfg.QueueMax)
	case len(m.headers) > maxOpen:
		return fmt.Errorf("%d getheaders are remembered, at most %d may", len(m.headers), maxOpen)
	case len(m.blocks) > m.cfg.AskedBlocks:
		return fmt.Errorf("%d blocks asked for are remembered, at most %d may", len(m.blocks), m.cfg.AskedBlocks)
	case len(m.sentByCommand) > len(messages) || len(m.recvByCommand) > len(messages)+1:
		return fmt.Errorf("figures of %d and %d commands, %d are known", len(m.sentByCommand), len(m.recvByCommand), len(messages))
	case !m.pingSent.IsZero() && !m.opened:
		return fmt.Errorf("a ping is open before the handshake is done")
	case m.state != gone && m.Deadline().IsZero():
		return fmt.Errorf("state %v has no deadline", m.state)
	}
	seen := map[chainhash.Hash]bool{}
	for _, h := range m.blocks {
		if seen[h] {
			return fmt.Errorf("block %v is remembered twice", h)
		}
		seen[h] = true
	}
	return nil
}

// Crashed makes the Gone of a peer whose cell died after its Ready. The driver
// publishes it for the cell (law L7). The wiring gives Crashed to the Lifecycle
// topic.
func Crashed(_ actor.ID, opened any, reason string) any {
	r := opened.(Ready)
	return Gone{Peer: r.Peer, Remote: r.Remote, Reason: reason}
}
