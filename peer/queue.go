package peer

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// perMessage is what a message takes besides its payload, in bytes: the header
// that the transport adapter puts before it. It is counted in getpeerinfo's
// figures, as in Bitcoin Core, and in the write queue, where a message without a
// payload must not be free.
const perMessage = wire.MessageHeaderSize

// amount is a number of messages and the bytes of their payloads.
type amount struct{ bytes, msgs uint64 }

func (a amount) onWire() uint64 { return a.bytes + a.msgs*perMessage }

// queue counts what the adapter has been told to write and has not written. The
// payloads are at the adapter. It is told everything at once, which keeps the
// order. A caller that floods is held back by the answer to its Send, which waits for
// the queue to be below its cap, so there is no second queue here.
type queue struct {
	written  amount             // told to the adapter
	flushed  amount             // of that, handed to the operating system
	moved    time.Time          // when flushed last grew, or the queue stopped being empty
	lastSend time.Time          // when flushed last grew
	held     []actor.Call[Sent] // Sends whose answer waits for the queue to be below its cap
}

// queued is the size of the queue in bytes on the wire.
func (m *Machine) queued() int { return int(m.written.onWire() - m.flushed.onWire()) }

// stuckDue is when a queue that makes no progress is given up. The adapter's write
// deadline is earlier. This one is for a cell that is not told of it (law L9).
func (m *Machine) stuckDue() time.Time {
	if m.queued() == 0 {
		return time.Time{}
	}
	return m.moved.Add(m.cfg.Stuck)
}

// write sends a message. A message of ours that cannot be encoded is a bug: it is
// logged and left out.
func (m *Machine) write(now time.Time, out *actor.Outbox, msg wire.Message) {
	payload, err := Encode(msg, m.spoken())
	if err != nil {
		out.Log(actor.Error, "cannot encode a message", "peer", m.id, "command", msg.Command(), "error", err)
		return
	}
	m.writePayload(now, out, msg.Command(), payload)
}

// writePayload sends what is encoded already, such as a stored block.
func (m *Machine) writePayload(now time.Time, out *actor.Outbox, command string, payload []byte) {
	one := amount{uint64(len(payload)), 1}
	switch {
	case m.state == gone:
		return
	case len(payload) > MaxPayload:
		out.Log(actor.Error, "a payload is too long to be sent", "peer", m.id, "command", command, "bytes", len(payload))
		return
	case m.queued()+int(one.onWire()) > m.cfg.QueueMax:
		m.becomeGone(out, fmt.Sprintf("does not read: %d bytes are waiting", m.queued()), false)
		return
	case m.queued() == 0:
		m.moved = now
	}
	m.written.bytes += one.bytes
	m.written.msgs++
	m.sentByCommand[command] += one.onWire()
	out.Tell(m.ports.Adapter, Write{Conn: m.arg.Conn, Command: command, Payload: payload})
}

// onSend takes messages into the queue. It answers when the queue is below its
// cap, which is at once for a peer that reads.
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
		m.writePayload(now, out, wire.CmdBlock, payload)
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
func (m *Machine) onFlushed(now time.Time, in Flushed, out *actor.Outbox) {
	done := amount{in.Bytes, in.Msgs}
	if done.onWire() <= m.flushed.onWire() || done.bytes > m.written.bytes || done.msgs > m.written.msgs {
		return
	}
	m.flushed = done
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
