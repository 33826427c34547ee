package node

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/adapters/book"
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
			l.Credit.Bytes + peer.MaxPayload + l.Peer.QueueCap + wire.MaxBlockPayload +
				netsync.BatchMemory + l.Relay.Txs.PerPeer() + wire.MaxV2AddrPerMsg*addr,
		},
		"credit":                 {func(l *Limits) { l.Credit.Bytes += more }, l.Seats * more},
		"a cell's bound":         {func(l *Limits) { l.Peer.QueueCap += more }, l.Seats * more},
		"relay's bound":          {func(l *Limits) { l.Relay.MaxKnown += more }, l.Seats * more * 2 * 32},
		"netsync's bound":        {func(l *Limits) { l.Netsync.MaxInFlight += more }, l.Seats * more * 32},
		"blocks held":            {func(l *Limits) { l.Netsync.HeldBytes += more }, more},
		"blocks submitted":       {func(l *Limits) { l.Netsync.SubmitBytes += more }, more},
		"headers being judged":   {func(l *Limits) { l.Windows.SyncHeaders++ }, netsync.BatchMemory},
		"items wanted":           {func(l *Limits) { l.Relay.MaxWantedOfAll += more }, more * 33},
		"transactions in hand":   {func(l *Limits) { l.Relay.MaxHand += more }, more},
		"a block's transactions": {func(l *Limits) { l.TxEvents++ }, 16_000 * 64},
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

// What asks must be more patient than what answers, or an answer that comes in time
// finds a question that has ended. The order of these times is part of the sums: a
// question that timed out keeps its slot.
func TestL4TimeoutsGrowOutward(t *testing.T) {
	check := func(l Limits) (wrong []string) {
		w := l.Windows
		for _, c := range []struct {
			what        string
			outer, base time.Duration
		}{
			{"a Send and the transport's write deadline", w.ToPeer, l.Transport.WriteTimeout},
			{"relay's Send, which a slow reader holds, and any other", w.RelaySend, w.ToPeer},
			{"a cell's own look at its queue and the transport's write deadline", l.Peer.Stuck, l.Transport.WriteTimeout},
			{"a submission and chain's patience with the engine", w.Submit, l.Chain.WorkerTimeout},
			{"a dial and the transport's", w.Dial, l.Transport.DialTimeout},
			{"a look-up and the resolver's", w.Resolve, book.ResolveTimeout},
			{"silence and the time between pings", l.Peer.Silence, l.Peer.PingEvery},
		} {
			if c.outer <= c.base {
				wrong = append(wrong, fmt.Sprintf("%s: %v, must be more than %v", c.what, c.outer, c.base))
			}
		}
		return wrong
	}
	if wrong := check(Derive(125, RPCHandlers)); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
	l := Derive(125, RPCHandlers) // the control
	l.Windows.RelaySend, l.Windows.Dial, l.Peer.Stuck = l.Transport.WriteTimeout, time.Second, time.Second
	if wrong := check(l); len(wrong) != 3 {
		t.Errorf("of three wrong times these are found: %q", wrong)
	}
}

// netsync may have one Send open to each peer, and one that timed out: a peer that
// does not read is given up at its second.
func TestL4NetsyncMaySendToEveryPeerAndToOneThatIsLate(t *testing.T) {
	plan, l := defaultPlan()
	for _, c := range plan.Cells {
		for _, p := range c.Ports {
			if p.Name == "netsync.send" && p.Window < 2*l.Seats || p.Name == "relay.send" && p.Window < l.Seats {
				t.Errorf("%s has a window of %d for %d seats", p.Name, p.Window, l.Seats)
			}
		}
	}
}
