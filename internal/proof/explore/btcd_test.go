package explore

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The shape of btcd v0.26.2 around issue #2258: two loops with bounded channels between
// them, and for each peer a loop that sends to both. What is left out (other channels,
// the handlers' work) does not wait.
const (
	peerHandler = iota // server.peerHandler
	blockHandler
	firstPeer // peers' lifecycle and input loops, in one
)

const (
	lifecycleChan = iota // server.peerLifecycle, cap 2*maxpeers
	relayInv             // server.relayInv, cap maxpeers
	msgChan              // netsync's msgChan, cap 3*maxpeers
	currentReply         // of isCurrentMsg
	firstReply           // of blockMsg, one for each peer
)

// serverLoop is server.peerHandler.
type serverLoop struct{ Outbound bool }

func (*serverLoop) Name() string   { return "peerHandler" }
func (*serverLoop) Selects() []int { return []int{lifecycleChan, relayInv} }
func (*serverLoop) Begin() []Op    { return nil }
func (l *serverLoop) Receive(ch int, msg any) []Op {
	switch {
	case ch == relayInv:
		return nil
	case msg == "done":
		return []Op{{Where: "SyncManager.DonePeer", Chan: msgChan, Msg: "donePeerMsg"}}
	case l.Outbound:
		return []Op{
			{Where: "SyncManager.NewPeer", Chan: msgChan, Msg: "newPeerMsg"},
			{Where: "SyncManager.IsCurrent", Chan: msgChan, Msg: "isCurrentMsg"},
			{Where: "SyncManager.IsCurrent", Chan: currentReply, Reply: true, From: blockHandler},
		}
	}
	return []Op{{Where: "SyncManager.NewPeer", Chan: msgChan, Msg: "newPeerMsg"}}
}

// syncLoop is SyncManager.blockHandler. A block that connects an orphan relays both.
type syncLoop struct{}

// blockMsg is a block of a peer, with the orphans that it connects.
type blockMsg struct{ Peer, Relays int }

func (b blockMsg) String() string { return "blockMsg" }

func (*syncLoop) Name() string   { return "blockHandler" }
func (*syncLoop) Selects() []int { return []int{msgChan} }
func (*syncLoop) Begin() []Op    { return nil }
func (*syncLoop) Receive(_ int, msg any) (ops []Op) {
	switch b := msg.(type) {
	case blockMsg:
		for range b.Relays {
			ops = append(ops, Op{Where: "server.RelayInventory", Chan: relayInv, Msg: "relayMsg"})
		}
		return append(ops, Op{Where: "blockMsg's reply", Chan: firstReply + b.Peer, Msg: "done"})
	case string:
		if b == "isCurrentMsg" {
			return []Op{{Where: "isCurrentMsg's reply", Chan: currentReply, Msg: true}}
		}
	}
	return nil
}

// peerLoop is one peer: it is added, sends its messages, and is done.
type peerLoop struct {
	Peer   int
	Script string // b: a block; B: a block that connects an orphan; i: an inv
	Added  bool
	Done   bool
}

func (l *peerLoop) Name() string          { return fmt.Sprintf("peer %d", l.Peer) }
func (l *peerLoop) Selects() []int        { return nil }
func (l *peerLoop) Receive(int, any) []Op { return nil }
func (l *peerLoop) Begin() []Op {
	switch {
	case !l.Added:
		l.Added = true
		return []Op{{Where: "AddPeer", Chan: lifecycleChan, Msg: "add"}}
	case l.Script != "":
		what := l.Script[0]
		l.Script = l.Script[1:]
		if what == 'i' {
			return []Op{{Where: "SyncManager.QueueInv", Chan: msgChan, Msg: "invMsg"}}
		}
		relays := 1
		if what == 'B' {
			relays = 2
		}
		return []Op{
			{Where: "SyncManager.QueueBlock", Chan: msgChan, Msg: blockMsg{l.Peer, relays}},
			{Where: "OnBlock, <-blockProcessed", Chan: firstReply + l.Peer, Reply: true, From: blockHandler},
		}
	case !l.Done:
		l.Done = true
		return []Op{{Where: "peerDoneHandler", Chan: lifecycleChan, Msg: "done"}}
	}
	return nil
}

// btcd is the topology for some peers, with its capacities for maxPeers.
func btcd(maxPeers int, outbound bool, scripts ...string) *Topology {
	t := &Topology{Channels: []Channel{
		{"peerLifecycle", 2 * maxPeers, peerHandler},
		{"relayInv", maxPeers, peerHandler},
		{"msgChan", 3 * maxPeers, blockHandler},
		{"isCurrent's reply", 1, peerHandler},
	}}
	for i := range scripts {
		t.Channels = append(t.Channels, Channel{"blockProcessed", 1, firstPeer + i})
	}
	t.Loops = func() []Loop {
		loops := []Loop{&serverLoop{outbound}, &syncLoop{}}
		for i, s := range scripts {
			loops = append(loops, &peerLoop{Peer: i, Script: s})
		}
		return loops
	}
	return t
}

// The explorer finds no deadlock in our kernel. It must find btcd's.
func TestTheExplorerFindsBtcdsDeadlocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		top   *Topology
		words []string
	}{
		{
			// IsCurrent waits for an answer, so only relayInv has to be full.
			// One peer is enough.
			"an outbound peer and a block with an orphan", btcd(1, true, "B"),
			[]string{"peerHandler waits in SyncManager.IsCurrent for blockHandler", "blockHandler waits in server.RelayInventory for peerHandler"},
		},
		{
			// The issue's own: both channels are full.
			"inbound peers, a block with an orphan and floods of inv", btcd(1, false, "B", "ii", "ii"),
			[]string{"peerHandler waits in SyncManager.", "for blockHandler", "blockHandler waits in server.RelayInventory for peerHandler"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ExploreBlocking(c.top, Bounds{Time: time.Minute})
			t.Logf("%v\n%s:\n%s", r, r.Violation, strings.Join(r.Trace, "\n"))
			for _, w := range c.words {
				if !strings.Contains(r.Violation, w) {
					t.Errorf("found %q, want %q", r.Violation, w)
				}
			}
		})
	}
}

// With room for all that is ever sent, the same loops have no deadlock, and the explorer
// finds none.
func TestTheExplorerClearsLoopsThatNeverWait(t *testing.T) {
	top := btcd(1, true, "B", "ii")
	for i := range top.Channels {
		top.Channels[i].Cap = 100
	}
	r := ExploreBlocking(top, Bounds{Time: time.Minute})
	t.Log(r)
	if r.Violation != "" || !r.Complete {
		t.Errorf("found %q", r.Violation)
	}
}
