package node

import (
	"testing"
	"unsafe"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/netsync"
	"acyclic/peer"
)

// TestL4MemoryAtWorstIsASum: whatever can be made larger by a bound is part of
// the sum, as often as it can be held. The part of one seat in a component is
// measured there (TestL4PerPeerIsWhatItHolds).
func TestL4MemoryAtWorstIsASum(t *testing.T) {
	const (
		more = 1000
		addr = int(unsafe.Sizeof(wire.NetAddressV2{}))
	)
	l := Derive(125, RPCHandlers)
	for name, c := range map[string]struct {
		change func(*Limits)
		least  int
	}{
		"a seat": {
			func(l *Limits) { l.Seats++ },
			l.Credit.Bytes + peer.MaxPayload + l.Peer.QueueCap + 2*wire.MaxBlockPayload +
				netsync.BatchMemory + l.Relay.MaxWanted*int(unsafe.Sizeof(wire.InvVect{})) + wire.MaxV2AddrPerMsg*addr,
		},
		"credit":                 {func(l *Limits) { l.Credit.Bytes += more }, l.Seats * more},
		"a cell's bound":         {func(l *Limits) { l.Peer.QueueCap += more }, l.Seats * more},
		"relay's bound":          {func(l *Limits) { l.Relay.MaxKnown += more }, l.Seats * more * 2 * 32},
		"netsync's bound":        {func(l *Limits) { l.Netsync.MaxInFlight += more }, l.Seats * more * 32},
		"blocks held":            {func(l *Limits) { l.Netsync.HeldBytes += more }, more},
		"blocks submitted":       {func(l *Limits) { l.Netsync.SubmitBytes += more }, more},
		"headers being judged":   {func(l *Limits) { l.Windows.SyncHeaders++ }, netsync.BatchMemory},
		"blocks read for nobody": {func(l *Limits) { l.Relay.MaxReads++ }, wire.MaxBlockPayload},
		"addresses for the book": {func(l *Limits) { l.Server.MaxNotes += more }, 4 * more * addr},
	} {
		changed := l
		c.change(&changed)
		if got := changed.MemoryAtWorst() - l.MemoryAtWorst(); got < c.least {
			t.Errorf("%s: %d bytes more, want at least %d", name, got, c.least)
		}
	}
	if l.Seats != l.Server.MaxPeers+l.Transport.Draining {
		t.Errorf("%d seats, want those of %d peers and of %d connections that drain", l.Seats, l.Server.MaxPeers, l.Transport.Draining)
	}
}
