package peer

import (
	"cmp"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// pings measures the round trip and finds peers that hang (BIP31). At most one ping
// is open.
type pings struct {
	nextPing  time.Time     // when none is open; zero: not ready yet
	pingSent  time.Time     // when the open one was sent; zero: none is open
	pingNonce uint64        // of the open one
	pingTime  time.Duration // the last round trip; zero: none yet
	pingMin   time.Duration // the shortest
	owesPong  bool          // their last ping waits for the queue to be below its cap
	pongNonce uint64        // of that one
}

func (m *Machine) pingDue() time.Time {
	if !m.pingSent.IsZero() {
		return time.Time{}
	}
	return m.nextPing
}

func (m *Machine) pongDue() time.Time {
	if m.pingSent.IsZero() {
		return time.Time{}
	}
	return m.pingSent.Add(m.cfg.PongWithin)
}

func (m *Machine) ping(now time.Time, out *actor.Outbox) {
	nonce := m.rng.Uint64() | 1 // not zero, which some peers answer to anything
	if m.version.Protocol > wire.BIP0031Version {
		m.pingSent, m.pingNonce = now, nonce
	} else {
		m.nextPing = now.Add(m.cfg.PingEvery) // too old to answer
	}
	m.write(now, out, &wire.MsgPing{Nonce: nonce})
}

// onPing answers a ping. Behind a full queue it answers the last ping only: a peer
// that pings without end and reads nothing must not make the queue grow.
func (m *Machine) onPing(now time.Time, msg *wire.MsgPing, out *actor.Outbox) {
	if m.version.Protocol <= wire.BIP0031Version {
		return
	}
	m.owesPong, m.pongNonce = true, msg.Nonce
	if m.queued() < m.cfg.QueueCap {
		m.pong(now, out)
	}
}

// pong sends the pong that is owed, if one is.
func (m *Machine) pong(now time.Time, out *actor.Outbox) {
	if m.owesPong {
		m.owesPong = false
		m.write(now, out, &wire.MsgPong{Nonce: m.pongNonce})
	}
}

// onPong closes the open ping, as Bitcoin Core does. A pong with another nonce, or without a
// ping, is ignored: it may be late. A pong without a nonce, or with zero, is that of a
// program that answers every ping so. It closes the ping, and measures nothing.
func (m *Machine) onPong(now time.Time, msg *wire.MsgPong) {
	if m.pingSent.IsZero() || msg.Nonce != 0 && msg.Nonce != m.pingNonce {
		m.onIgnored()
		return
	}
	if msg.Nonce != 0 {
		took := max(now.Sub(m.pingSent), 1) // zero means none yet
		m.pingTime, m.pingMin = took, min(took, cmp.Or(m.pingMin, took))
	}
	m.pingSent, m.nextPing = time.Time{}, now.Add(m.cfg.PingEvery)
}
