package peer

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/adapters/transport"
	"acyclic/internal/kernel/actor"
)

// queue counts what the adapter has been told to write and has not written. The
// bytes themselves are at the adapter. Order is kept simple: everything is told at
// once, and a caller that floods is held back by its answer, not by a second
// queue here.
type queue struct {
	written  uint64             // bytes told to the adapter
	flushed  uint64             // of those, handed to the kernel
	moved    time.Time          // when flushed last grew, or the queue stopped being empty
	lastSend time.Time          // when flushed last grew
	held     []actor.Call[Sent] // Sends whose answer waits for the queue to be below its cap
}

func (m *Machine) queued() int { return int(m.written - m.flushed) }

// stuckDue is when a queue that makes no progress is given up. The adapter's write
// deadline finds out earlier; this one makes the cell's progress independent of
// being told (law L9).
func (m *Machine) stuckDue() time.Time {
	if m.queued() == 0 {
		return time.Time{}
	}
	return m.moved.Add(m.cfg.Stuck)
}

// write sends a message. A message of ours that cannot be encoded is a bug; it
// is left out and said.
func (m *Machine) write(now time.Time, out *actor.Outbox, msg wire.Message) {
	frame, err := m.encode(msg)
	m.writeFrame(now, out, msg.Command(), frame, err)
}

func (m *Machine) writeFrame(now time.Time, out *actor.Outbox, command string, frame []byte, err error) {
	if m.state == gone {
		return
	}
	if err != nil {
		out.Log(actor.Error, "cannot encode a message", "peer", m.id, "command", command, "error", err)
		return
	}
	if m.queued()+len(frame) > m.cfg.QueueMax {
		m.becomeGone(out, fmt.Sprintf("does not read: %d bytes are waiting", m.queued()), false)
		return
	}
	if m.queued() == 0 {
		m.moved = now
	}
	m.written += uint64(len(frame))
	m.countSent(command, len(frame))
	out.Tell(m.ports.Adapter, transport.Write{Conn: m.arg.Conn, Frame: frame})
}

// onSend takes messages into the queue and answers when it is below its cap:
// at once for a peer that reads.
func (m *Machine) onSend(now time.Time, q Send, call actor.Call[Sent], out *actor.Outbox) {
	if m.state != ready || len(m.held) == m.cfg.HeldSends {
		call.Refuse(out)
		return
	}
	for _, msg := range q.Msgs {
		m.write(now, out, msg)
		m.noteAsked(now, msg)
	}
	for _, payload := range q.Payloads {
		frame, err := transport.EncodePayload(wire.CmdBlock, payload, m.cfg.Magic)
		m.writeFrame(now, out, wire.CmdBlock, frame, err)
	}
	switch {
	case m.state == gone: // the queue overflowed; the driver settles the call
	case m.queued() < m.cfg.QueueCap:
		call.Answer(out, Sent{})
	default:
		m.held = append(m.held, call)
	}
}

// onFlushed notes what has left and lets the held Sends go.
func (m *Machine) onFlushed(now time.Time, in transport.Flushed, out *actor.Outbox) {
	if in.Bytes <= m.flushed || in.Bytes > m.written {
		return
	}
	m.flushed = in.Bytes
	m.moved, m.lastSend = now, now
	if m.queued() >= m.cfg.QueueCap {
		return
	}
	m.pong(now, out)
	for _, call := range m.held {
		call.Answer(out, Sent{})
	}
	m.held = nil
}
