package config

import (
	"testing"
	"unsafe"

	"github.com/btcsuite/btcd/wire/v2"
)

// TestL4MemoryAtWorstIsASum: whatever can be made larger by a bound is part of
// the sum, as often as it can be held.
func TestL4MemoryAtWorstIsASum(t *testing.T) {
	const (
		more   = 1000
		inv    = int(unsafe.Sizeof(wire.InvVect{}))
		header = int(unsafe.Sizeof(wire.BlockHeader{}))
		addr   = int(unsafe.Sizeof(wire.NetAddressV2{}))
		full   = wire.MaxBlockHeadersPerMsg * header
	)
	l := Derive(125, RPCHandlers)
	for name, c := range map[string]struct {
		change func(*Limits)
		least  int
	}{
		"a place: credit, a message more, a queue, a block in it and at relay, items, headers, addresses": {
			func(l *Limits) { l.Seats++ },
			l.Credit.Bytes + l.Peer.QueueCap + 3*maxMessage + 2*l.Relay.MaxWanted*inv + full + wire.MaxV2AddrPerMsg*addr,
		},
		"credit":      {func(l *Limits) { l.Credit.Bytes += more }, l.Seats * more},
		"write queue": {func(l *Limits) { l.Peer.QueueCap += more }, l.Seats * more},
		"items of getdata, in their list and not found": {func(l *Limits) { l.Relay.MaxWanted += more }, l.Seats * more * 2 * inv},
		"locators":               {func(l *Limits) { l.Relay.MaxLocators++ }, l.Seats * 2 * maxLocator * 32},
		"known blocks":           {func(l *Limits) { l.Relay.MaxKnown += more }, l.Seats * more * 2 * 32},
		"orders":                 {func(l *Limits) { l.Netsync.MaxInFlight += more }, l.Seats * more * (32 + inv)},
		"blocks asked for":       {func(l *Limits) { l.Peer.AskedBlocks += more }, l.Seats * more * 32},
		"blocks held":            {func(l *Limits) { l.Netsync.HeldBytes += more }, more},
		"blocks submitted":       {func(l *Limits) { l.Netsync.SubmitBytes += more }, more},
		"headers being judged":   {func(l *Limits) { l.Windows.SyncHeaders++ }, full},
		"blocks read for nobody": {func(l *Limits) { l.Windows.RelayReads++ }, maxMessage},
		"addresses for the book": {func(l *Limits) { l.Server.MaxNotes += more }, 4 * more * addr},
	} {
		changed := l
		c.change(&changed)
		if got := changed.MemoryAtWorst() - l.MemoryAtWorst(); got < c.least {
			t.Errorf("%s: %d bytes more, want at least %d", name, got, c.least)
		}
	}
	if l.Seats != l.Server.MaxPeers+l.Adapter.Draining {
		t.Errorf("%d places, want those of %d peers and of %d connections that drain", l.Seats, l.Server.MaxPeers, l.Adapter.Draining)
	}
}
