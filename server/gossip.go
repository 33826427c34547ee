package server

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// The rules of addr messages, as in Bitcoin Core.
const (
	// maxTokens addresses a peer may tell in one burst, and tokensPerSecond
	// after that. What is more is dropped. A peer begins with firstTokens (its
	// own address) and has maxTokens when we have asked it.
	maxTokens       = 1000.0
	tokensPerSecond = 0.1
	firstTokens     = 1.0
	// maxFuture is how far ahead of our clock an address may have been seen.
	// One from further ahead is dated staleAge back.
	maxFuture = 10 * time.Minute
	staleAge  = 5 * 24 * time.Hour
	// enoughKnown: with so many addresses no peer is asked for more (btcd).
	enoughKnown = 1000
)

// talk is the exchange of addresses with one peer.
type talk struct {
	wantsV2  bool         // it understands addrv2 (BIP155)
	served   bool         // its getaddr has been taken
	asking   bool         // it waits for a sample of the book
	tokens   float64      // addresses that it may still tell us
	tokensAt time.Time    // when tokens was right
	pending  wire.Message // to be sent. There is one in a peer's life: getaddr if we dialled it, else its sample
}

func newTalk(now time.Time) talk { return talk{tokens: firstTokens, tokensAt: now} }

// getAddrs asks the peer for addresses.
func (t *talk) getAddrs() { t.pending, t.tokens = wire.NewMsgGetAddr(), maxTokens }

// end drops what a leaving peer would have got.
func (t *talk) end() { t.pending, t.asking = nil, false }

// take returns how many of n addresses the peer may tell.
func (t *talk) take(now time.Time, n int) int {
	t.tokens = min(t.tokens+tokensPerSecond*now.Sub(t.tokensAt).Seconds(), maxTokens)
	t.tokensAt = now
	n = min(n, wire.MaxV2AddrPerMsg, int(t.tokens))
	t.tokens -= float64(n)
	return n
}

func (t *talk) check(ready bool) error {
	if t.tokens < 0 || t.tokens > maxTokens || t.asking && !t.served || t.pending != nil && !ready {
		return fmt.Errorf("ready %v, %v tokens, getaddr served %v, asking the book %v, a message waits %v: they do not go together",
			ready, t.tokens, t.served, t.asking, t.pending != nil)
	}
	return nil
}

// gossip tracks what goes to the address book and comes from it.
type gossip struct {
	most  int // addresses of each kind that wait for the book
	known int // addresses in the book; -1: not known yet

	note    Note // since the last one
	learned int  // addresses in note.Learned
	noting  bool // a Note is under way
}

// learn, attempted, connected and good collect for the book. What does not fit is
// dropped: peers will tell it again.
func (g *gossip) learn(addrs []*wire.NetAddressV2, source netip.AddrPort) {
	addrs = addrs[:min(len(addrs), g.most-g.learned)]
	if len(addrs) == 0 {
		return
	}
	g.learned += len(addrs)
	g.note.Learned = append(g.note.Learned, Learned{Addrs: addrs, Source: source})
}

func (g *gossip) attempted(addr netip.AddrPort) { addNote(&g.note.Attempted, addr, g.most) }

func (g *gossip) connected(addr netip.AddrPort) { addNote(&g.note.Connected, addr, g.most) }

func (g *gossip) good(addr netip.AddrPort, services wire.ServiceFlag) {
	addNote(&g.note.Good, Good{Addr: addr, Services: services}, g.most)
}

func addNote[T any](list *[]T, item T, most int) {
	if len(*list) < most {
		*list = append(*list, item)
	}
}

// tell tells the book everything since the last Note. If the port has no slot, an
// answer or Freed brings the next chance.
func (g *gossip) tell(port actor.Port[Note, Noted], out *actor.Outbox) {
	n := &g.note
	if g.noting || len(n.Learned)+len(n.Attempted)+len(n.Connected)+len(n.Good) == 0 {
		return
	}
	if _, g.noting = port.Ask(out, 0, *n); g.noting {
		g.note, g.learned = Note{}, 0
	}
}

// noted takes the size of the book and says whether it has grown.
func (g *gossip) noted(known int, err error) (grown bool) {
	g.noting = false
	if err != nil {
		return false
	}
	grown = known > g.known
	g.known = known
	return grown
}

func (g *gossip) check() error {
	learned := 0
	for _, l := range g.note.Learned {
		learned += len(l.Addrs)
	}
	if learned != g.learned {
		return fmt.Errorf("%d addresses were learned, %d counted", learned, g.learned)
	}
	for _, n := range []int{len(g.note.Learned), g.learned, len(g.note.Attempted), len(g.note.Connected), len(g.note.Good)} {
		if n > g.most {
			return fmt.Errorf("%d addresses wait for the book, at most %d", n, g.most)
		}
	}
	return nil
}

// serveAddrs asks the book for the samples that peers wait for, and sends what is
// ready. If a port has no slot, an answer or Freed brings the next chance.
func (rs remotes) serveAddrs(ports *Ports, out *actor.Outbox) {
	for i := range rs {
		id, t := rs[i].id, &rs[i].talk
		if t.asking {
			_, asked := ports.Sample.Ask(out, uint64(id), Sample{Max: wire.MaxV2AddrPerMsg})
			t.asking = !asked
		}
		if t.pending != nil {
			if _, ok := ports.Send.Ask(out, peer.To(id), uint64(id), peer.Send{Msgs: []wire.Message{t.pending}}); ok {
				t.pending = nil
			}
		}
	}
}

// onAddrsReceived passes on what a peer tells, as far as it may tell it.
func (m *Machine) onAddrsReceived(now time.Time, got peer.AddrsReceived) {
	if r := m.remotes.find(got.Peer); r != nil && m.cfg.OutboundTarget > 0 {
		n := r.talk.take(now, len(got.Addrs))
		m.gossip.learn(credible(now, got.Addrs[:n]), r.addr)
	}
}

// onAddrsWanted notes that a peer waits for a sample of the book. It gets one per
// connection and only if it is inbound: nobody can read the book by asking often,
// or tell two of our addresses apart by asking from outside.
func (m *Machine) onAddrsWanted(q peer.AddrsWanted) {
	r := m.remotes.find(q.Peer)
	if r != nil && m.cfg.OutboundTarget > 0 && r.inbound && !r.talk.served {
		r.talk.served, r.talk.asking = true, true
	}
}

// onSampled makes the answer to a getaddr.
func (m *Machine) onSampled(in actor.Input, got Sampled) {
	if r := m.remotes.find(actor.ID(in.Key)); r != nil && r.ready {
		r.talk.pending = addrMessage(got.Addrs, r.talk.wantsV2)
	}
}

// onNoted takes the size of the book.
func (m *Machine) onNoted(now time.Time, in actor.Input, got Noted) {
	if m.gossip.noted(got.Known, in.Err) {
		m.outbound.grown(now)
	}
}

// credible corrects impossible times in copies: messages are not changed.
func credible(now time.Time, addrs []*wire.NetAddressV2) []*wire.NetAddressV2 {
	list := make([]*wire.NetAddressV2, 0, len(addrs))
	for _, a := range addrs {
		if a == nil || a.Addr == nil {
			continue
		}
		if a.Timestamp.After(now.Add(maxFuture)) {
			c := *a
			c.Timestamp = now.Add(-staleAge)
			a = &c
		}
		list = append(list, a)
	}
	return list
}

// addrMessage builds addrv2 (BIP155) or addr. It returns nil if there is nothing
// to say.
func addrMessage(addrs []*wire.NetAddressV2, v2 bool) wire.Message {
	addrs = addrs[:min(len(addrs), wire.MaxV2AddrPerMsg)]
	if len(addrs) == 0 {
		return nil
	}
	if v2 {
		return &wire.MsgAddrV2{AddrList: addrs}
	}
	msg := wire.NewMsgAddr()
	for _, a := range addrs {
		if old := a.ToLegacy(); old != nil {
			msg.AddrList = append(msg.AddrList, old)
		}
	}
	if len(msg.AddrList) == 0 {
		return nil
	}
	return msg
}
