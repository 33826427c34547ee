package peer

import (
	"maps"
	"time"
)

// otherCommand counts the bytes of all unknown commands (Bitcoin Core's
// NET_MESSAGE_TYPE_OTHER). The peer chooses their names, so they must not become
// keys.
const otherCommand = "*other*"

// figures are for getpeerinfo alone. Sizes are on the wire, as in Bitcoin Core:
// perMessage is added here, because transport counts payloads.
type figures struct {
	bytesRecv     uint64
	sentByCommand map[string]uint64 // counted when queued, as in Bitcoin Core; at most one key per known command
	recvByCommand map[string]uint64 // the same, and otherCommand
	skipped       uint64            // messages that could not be decoded
	ignored       uint64            // messages without a reader here, or too early
	lastBlock     time.Time
	timeOffset    time.Duration
	minFee        int64 // of its last feefilter (BIP133)
}

func (m *Machine) countReceived(in Received) {
	size := amount{uint64(in.Bytes), 1}.onWire()
	m.bytesRecv += size
	command := in.Command
	if messages[command] == nil {
		command = otherCommand
	}
	m.recvByCommand[command] += size
}

// info answers GetInfo.
func (m *Machine) info(now time.Time) Info {
	i := Info{
		Arg:           m.arg,
		Ready:         m.state == ready,
		Version:       m.version,
		Connected:     m.connected,
		LastSend:      m.lastSend,
		LastBlock:     m.lastBlock,
		BytesSent:     m.flushed.onWire(),
		BytesRecv:     m.bytesRecv,
		SentByCommand: maps.Clone(m.sentByCommand),
		RecvByCommand: maps.Clone(m.recvByCommand),
		Skipped:       m.skipped,
		Queued:        m.queued(),
		TimeOffset:    m.timeOffset,
		PingTime:      m.pingTime,
		PingMin:       m.pingMin,
		SendHeaders:   m.theirHeaders,
		MinFee:        m.minFee,
	}
	if m.bytesRecv > 0 {
		i.LastRecv = m.lastRecv
	}
	if !m.pingSent.IsZero() {
		i.PingWait = now.Sub(m.pingSent)
	}
	return i
}
