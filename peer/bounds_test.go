package peer

import (
	"encoding/binary"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
)

// held is how much a peer's cell holds that was made to hold all that it may,
// with what it has queued for a remote node that does not read.
func held(t *testing.T, bounds Bounds) int {
	const peers = 4
	cfg := testConfig()
	cfg.Bounds = bounds
	return steptest.Heap(func() any {
		var all []*bench
		for range peers {
			b := readyBench(t, true, cfg)
			want := wire.NewMsgGetData()
			for n := range bounds.AskedBlocks {
				var h chainhash.Hash
				binary.LittleEndian.PutUint32(h[:], uint32(n))
				want.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &h))
			}
			b.Ask(Send{Msgs: []wire.Message{want}})
			b.flushAll()
			b.Drop()
			b.Ask(Send{Payloads: [][]byte{make([]byte, bounds.QueueCap-100)}})
			b.Ask(Send{Payloads: [][]byte{make([]byte, wire.MaxBlockPayload)}})
			if len(b.m.blocks) != bounds.AskedBlocks || b.m.queued() < bounds.QueueCap+wire.MaxBlockPayload-100 || len(b.m.queue.held) != 1 {
				t.Fatalf("%d blocks asked for, %d bytes queued, %d Sends held: it is not full", len(b.m.blocks), b.m.queued(), len(b.m.queue.held))
			}
			all = append(all, b)
		}
		return all
	}) / peers
}

// The controls are larger bounds, by which more must be held than PerPeer allows
// for the smaller ones.
func TestL4PerPeerIsWhatItHolds(t *testing.T) {
	b := DefaultBounds(128)
	if got := held(t, b); got > b.PerPeer() {
		t.Errorf("%d bytes are held, more than PerPeer's %d", got, b.PerPeer())
	}
	for name, larger := range map[string]func(*Bounds){
		"QueueCap":    func(l *Bounds) { l.QueueCap *= 2 },
		"AskedBlocks": func(l *Bounds) { l.AskedBlocks *= 16 },
	} {
		l := b
		larger(&l)
		if got := held(t, l); got > l.PerPeer() || got <= b.PerPeer() {
			t.Errorf("with more %s: %d bytes are held, want more than %d and at most %d", name, got, b.PerPeer(), l.PerPeer())
		}
	}
}
