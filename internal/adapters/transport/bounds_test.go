package transport

import (
	"bufio"
	"io"
	"testing"

	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// zeros is a remote node that sends as much as is read.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// held is what a reader holds of one peer in the middle of a message of n bytes.
func held(t *testing.T, n int) int {
	return steptest.Heap(func() any {
		r := bufio.NewReaderSize(zeros{}, readAhead)
		frame, err := readGrowing(r, make([]byte, 0, chunk), n)
		if err != nil {
			t.Fatal(err)
		}
		return []any{io.Reader(r), frame}
	})
}

// The control is a message of twice the allowed size.
func TestL4PerPeerIsWhatItHolds(t *testing.T) {
	b := DefaultBounds(1)
	if got := held(t, peer.MaxPayload); got > b.PerPeer() || got < peer.MaxPayload {
		t.Errorf("%d bytes are held of a peer, want at most %d", got, b.PerPeer())
	}
	if got := held(t, 2*peer.MaxPayload); got <= b.PerPeer() {
		t.Errorf("the control holds %d bytes only", got)
	}
}
