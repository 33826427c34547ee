package transport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// headerSize is the size of a message's header in bytes: magic 4, command 12,
// length 4, checksum 4.
const headerSize = wire.MessageHeaderSize

// header is what stands before a payload on the wire.
type header struct {
	magic    wire.BitcoinNet
	command  string // as it came: any bytes, at most 12
	length   uint32 // of the payload, in bytes
	checksum [4]byte
}

// parseHeader reads the first headerSize bytes of b.
func parseHeader(b []byte) header {
	return header{
		magic:    wire.BitcoinNet(binary.LittleEndian.Uint32(b[0:4])),
		command:  string(bytes.TrimRight(b[4:16], "\x00")),
		length:   binary.LittleEndian.Uint32(b[16:20]),
		checksum: [4]byte(b[20:headerSize]),
	}
}

// appendHeader appends the header of a message.
func appendHeader(b []byte, magic wire.BitcoinNet, command string, payload []byte) []byte {
	var name [wire.CommandSize]byte
	copy(name[:], command)
	b = binary.LittleEndian.AppendUint32(b, uint32(magic))
	b = append(b, name[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	sum := checksum(payload)
	return append(b, sum[:]...)
}

func checksum(payload []byte) [4]byte {
	sum := chainhash.DoubleHashH(payload)
	return [4]byte(sum[:4])
}

// fault says why the stream cannot be followed any further, or "". After a wrong magic
// or an impossible length it is unknown where the next message starts. Bitcoin Core
// closes the connection for the same two.
func (h header) fault(magic wire.BitcoinNet) string {
	switch {
	case h.magic != magic:
		return fmt.Sprintf("message of another network (magic %08x)", uint32(h.magic))
	case h.length > peer.MaxPayload:
		return fmt.Sprintf("message %q of %d bytes, at most %d are allowed", h.command, h.length, peer.MaxPayload)
	}
	return ""
}

// frame is a message on its way out: what is left of its two parts. The payload
// is never copied.
type frame struct{ header, payload []byte }

// frames puts headers before messages.
func frames(magic wire.BitcoinNet, msgs []peer.Write) []frame {
	headers := make([]byte, 0, len(msgs)*headerSize)
	all := make([]frame, len(msgs))
	for i, w := range msgs {
		headers = appendHeader(headers, magic, w.Command, w.Payload)
		all[i] = frame{headers[i*headerSize:], w.Payload}
	}
	return all
}

// cut takes the next chunk from frames and counts it in done. It returns the
// chunk's pieces and the frames that are left.
func cut(frames []frame, done *peer.Flushed) (net.Buffers, []frame) {
	pieces := make(net.Buffers, 0, 2*len(frames))
	for room := chunk; room > 0 && len(frames) > 0; {
		f := &frames[0]
		h := min(len(f.header), room)
		p := min(len(f.payload), room-h)
		room -= h + p
		for _, piece := range [...][]byte{f.header[:h], f.payload[:p]} {
			if len(piece) > 0 {
				pieces = append(pieces, piece)
			}
		}
		done.Bytes += uint64(p)
		f.header, f.payload = f.header[h:], f.payload[p:]
		if len(f.header)+len(f.payload) > 0 {
			break
		}
		done.Msgs++
		frames = frames[1:]
	}
	return pieces, frames
}
