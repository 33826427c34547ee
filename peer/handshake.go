package peer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// The protocol versions that we speak.
const (
	// ourProtocol is what our version message says: BIP339 and BIP155.
	ourProtocol = wire.AddrV2Version

	// minProtocol is the oldest that we accept: Bitcoin Core's
	// MIN_PEER_PROTO_VERSION. Addresses have timestamps from 31402 on, and
	// headers can be asked for from 31800 on. btcd goes down to 209: it could
	// not sync from such a peer.
	minProtocol = 31800
)

// ourVersion is our version message. Like Bitcoin Core's it names the remote
// address as we see it, and of ourselves only the services.
func (m *Machine) ourVersion(now time.Time) *wire.MsgVersion {
	return &wire.MsgVersion{
		ProtocolVersion: int32(ourProtocol),
		Services:        m.cfg.Services,
		Timestamp:       now.Truncate(time.Second),
		AddrYou:         netAddress(m.arg.Remote, 0),
		AddrMe:          netAddress(netip.AddrPortFrom(netip.IPv6Unspecified(), 0), m.cfg.Services),
		Nonce:           newNonce(m.rng.Uint32(), m.cfg.NonceKey),
		UserAgent:       m.cfg.UserAgent,
		LastBlock:       m.arg.BestHeight,
		DisableRelayTx:  m.arg.BlockRelayOnly || !m.cfg.WantTxs,
	}
}

func netAddress(a netip.AddrPort, services wire.ServiceFlag) wire.NetAddress {
	ip := a.Addr().As16()
	return wire.NetAddress{Services: services, IP: ip[:], Port: a.Port()}
}

// newNonce makes the nonce of a version message: r, and a tag of r under the
// secret of this process. So every cell of the process recognises it without
// asking another. A stranger's nonce looks like ours once in 2^32 times: that
// connection is refused, and the next attempt has another nonce. A remote that
// sends our nonce back only gets itself disconnected.
func newNonce(r uint32, key [32]byte) uint64 {
	mac := hmac.New(sha256.New, key[:])
	mac.Write(binary.LittleEndian.AppendUint32(nil, r))
	tag := binary.LittleEndian.Uint32(mac.Sum(nil))
	return uint64(r)<<32 | uint64(tag)
}

func ownNonce(nonce uint64, key [32]byte) bool {
	return nonce == newNonce(uint32(nonce>>32), key)
}

// onVersion answers the peer's version with our own (inbound), our features, and
// our verack.
func (m *Machine) onVersion(now time.Time, msg *wire.MsgVersion, out *actor.Outbox) {
	if m.state != dialled && m.state != accepted {
		m.becomeGone(out, "a second version message", false)
		return
	}
	m.noteVersion(now, msg)
	if why := m.unwanted(msg); why != "" {
		m.becomeGone(out, why, false)
		return
	}
	if m.arg.Inbound {
		m.write(now, out, m.ourVersion(now))
	}
	if m.version.Protocol >= wire.AddrV2Version {
		m.write(now, out, &wire.MsgWTxIdRelay{})
		m.write(now, out, &wire.MsgSendAddrV2{})
	}
	m.write(now, out, &wire.MsgVerAck{})
	if m.state != gone { // the queue took it all
		m.becomeGreeted()
	}
}

// noteVersion keeps what the peer says about itself.
func (m *Machine) noteVersion(now time.Time, msg *wire.MsgVersion) {
	m.version.Services = msg.Services
	m.version.Protocol = uint32(max(0, min(msg.ProtocolVersion, int32(ourProtocol))))
	m.version.UserAgent = printable(msg.UserAgent)
	m.version.Height = msg.LastBlock
	m.version.NoTxs = msg.DisableRelayTx
	m.timeOffset = msg.Timestamp.Sub(now.Truncate(time.Second))
}

// unwanted says why we do not talk to a peer, or "". Services are demanded only
// of peers that we chose. Inbound peers, and those that the user named, need
// offer none (Bitcoin Core's ExpectServicesFromConn).
func (m *Machine) unwanted(msg *wire.MsgVersion) string {
	const chain = wire.SFNodeNetwork | wire.SFNodeNetworkLimited
	chosen := !m.arg.Inbound && !m.arg.Manual
	switch {
	case ownNonce(msg.Nonce, m.cfg.NonceKey):
		return "connected to ourselves"
	case msg.ProtocolVersion < minProtocol:
		return fmt.Sprintf("protocol version %d, at least %d is needed", msg.ProtocolVersion, minProtocol)
	case chosen && msg.Services&chain == 0:
		return fmt.Sprintf("has no blocks to offer (services %v)", msg.Services)
	case chosen && !msg.Services.HasFlag(wire.SFNodeWitness):
		return fmt.Sprintf("has no witness data to offer (services %v)", msg.Services)
	}
	return ""
}

func (m *Machine) becomeGreeted() {
	if m.state != dialled && m.state != accepted {
		panic("peer: greeted when " + m.state.String())
	}
	m.state = greeted
}

// onVerAck ends the handshake. A second verack is ignored, as Bitcoin Core does.
func (m *Machine) onVerAck(now time.Time, out *actor.Outbox) {
	if m.state == greeted {
		m.becomeReady(now, out)
	}
}

func (m *Machine) becomeReady(now time.Time, out *actor.Outbox) {
	if m.state != greeted {
		panic("peer: ready when " + m.state.String())
	}
	m.state, m.opened = ready, true
	m.nextPing = now // at once: the first latency is worth knowing
	m.topics.Lifecycle.Open(out, m.version)
	out.Log(actor.Debug, "peer ready", "peer", m.id, "addr", m.arg.Remote, "inbound", m.arg.Inbound,
		"agent", m.version.UserAgent, "height", m.version.Height, "services", m.version.Services)
	if m.theirHeaders {
		m.topics.Relay.Publish(out, WantsHeaders{Peer: m.id})
	}
	if m.version.Protocol >= wire.SendHeadersVersion {
		m.write(now, out, &wire.MsgSendHeaders{})
	}
}

// onFeature handles wtxidrelay (BIP339) and sendaddrv2 (BIP155), which are legal
// between version and verack. A peer that sends them later is disconnected, as
// BIP155 allows and Bitcoin Core does: relay may have been set up without them.
func (m *Machine) onFeature(command string, feature *bool, out *actor.Outbox) {
	switch {
	case m.state == ready:
		m.becomeGone(out, command+" after verack", false)
	case m.version.Protocol >= wire.AddrV2Version:
		*feature = true
	}
}

// onSendHeaders notes that the peer wants new blocks announced by headers. Once is
// enough. It counts before verack too: relay is then told after Ready.
func (m *Machine) onSendHeaders(out *actor.Outbox) {
	if m.theirHeaders {
		return
	}
	m.theirHeaders = true
	if m.state == ready {
		m.topics.Relay.Publish(out, WantsHeaders{Peer: m.id})
	}
}

// onHandshake handles a message of the handshake and returns false for any other.
// Nothing counts before the peer's version.
func (m *Machine) onHandshake(now time.Time, msg wire.Message, out *actor.Outbox) bool {
	if v, ok := msg.(*wire.MsgVersion); ok {
		m.onVersion(now, v, out)
		return true
	}
	if m.state < greeted {
		return false
	}
	switch msg.(type) {
	case *wire.MsgVerAck:
		m.onVerAck(now, out)
	case *wire.MsgWTxIdRelay:
		m.onFeature(wire.CmdWTxIdRelay, &m.version.WTxIDs, out)
	case *wire.MsgSendAddrV2:
		m.onFeature(wire.CmdSendAddrV2, &m.version.WantsAddr, out)
	case *wire.MsgSendHeaders:
		m.onSendHeaders(out)
	default:
		return false
	}
	return true
}

// printable is a user agent without the characters that a terminal or a log should
// not see.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), wire.MaxUserAgentLen)])
}

// spoken is the protocol version of what we send.
func (m *Machine) spoken() uint32 {
	if m.state == ready { // what is sent before that is the same in all of them
		return m.version.Protocol
	}
	return ourProtocol
}
