package transport

import (
	"fmt"
	"io"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// BenchmarkServedBlock is the way of a stored block from its bytes to a remote
// that reads them.
func BenchmarkServedBlock(b *testing.B) {
	for _, size := range []int{250, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := newRig(b, Config{}, 100)
			p := r.connect()
			p.send(pingFrame(b, 1))
			r.cells.inbound(b, "the connection is bound", 1)
			block := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				r.Tell(ownerID, peer.Write{Conn: first, Command: wire.CmdBlock, Payload: block})
				if _, err := io.CopyN(io.Discard, p.r, int64(headerSize+size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
