package server

import (
	"net/netip"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// The rules of addr messages, as in Bitcoin Core.
const (
	// maxTokens addresses a peer may tell in one burst, and tokensPerSecond
	// after that; what is more is dropped. A peer begins with firstTokens
	// (its own address) and has maxTokens when we have asked it.
	maxTokens       = 1000.0
	tokensPerSecond = 0.1
	firstTokens     = 1.0
	// maxFuture is how far ahead of our clock an address may have been seen;
	// one from further ahead is dated staleAge back.
	maxFuture = 10 * time.Minute
	staleAge  = 5 * 24 * time.Hour
	// enoughKnown: with so many addresses no peer is asked for more (btcd).
	enoughKnown = 1000
)

// gossip is what goes to and comes from the address book.
type gossip struct {
	note    Note // since the last one; bounded by MaxNotes
	learned int  // addresses in note.Learned
	noting  actor.Ticket

	asking []actor.ID // peers that wait for a sample, in order
}

// onAddrsReceived passes on what a peer tells, as far as it may tell it.
func (m *Machine) onAddrsReceived(now time.Time, got peer.AddrsReceived) {
	i := m.find(got.Peer)
	if i < 0 || m.cfg.OutboundTarget == 0 {
		return
	}
	s := &m.slots[i]
	s.refill(now)
	n := min(len(got.Addrs), wire.MaxV2AddrPerMsg, int(s.tokens))
	s.tokens -= float64(n)
	m.learn(credible(now, got.Addrs[:n]), s.remote)
}

// refill adds the tokens that have grown since the last time.
func (s *slot) refill(now time.Time) {
	grown := s.tokens + tokensPerSecond*now.Sub(s.tokensAt).Seconds()
	s.tokens = max(s.tokens, min(grown, maxTokens))
	s.tokensAt = now
}

// credible corrects impossible times in copies; messages are not changed.
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

// onAddrsWanted queues a peer for a sample of the book: once per connection and
// only inbound ones, so that nobody can read the book by asking often, or tell
// two of our addresses apart by asking from outside.
func (m *Machine) onAddrsWanted(q peer.AddrsWanted) {
	i := m.find(q.Peer)
	if i < 0 || m.cfg.OutboundTarget == 0 {
		return
	}
	s := &m.slots[i]
	if !s.in || s.addrsServed {
		return
	}
	s.addrsServed = true
	m.gossip.asking = append(m.gossip.asking, s.id)
}

// forgetAsking takes an ended peer out of the queue, which is thereby bounded by
// the number of slots.
func (m *Machine) forgetAsking(id actor.ID) {
	m.gossip.asking = slices.DeleteFunc(m.gossip.asking, func(a actor.ID) bool { return a == id })
}

// onSampled sends the sample.
func (m *Machine) onSampled(in actor.Input, got Sampled) {
	if i := m.find(actor.ID(in.Key)); i >= 0 && m.slots[i].ready {
		m.slots[i].pending = addrMessage(got.Addrs, m.slots[i].wantsAddrV2)
	}
}

// addrMessage builds addrv2 (BIP155) or addr; nil when there is nothing to say.
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
		if old := a.ToLegacy(); old != nil && len(old.IP) > 0 {
			msg.AddrList = append(msg.AddrList, old)
		}
	}
	if len(msg.AddrList) == 0 {
		return nil
	}
	return msg
}

// onSent frees the peer for another message. One that was not taken is not sent
// again: getaddr and its answer are favours.
func (m *Machine) onSent(in actor.Input) {
	if i := m.find(actor.ID(in.Key)); i >= 0 {
		m.slots[i].sending = false
	}
}

// onNoted takes the size of the book. New addresses end a wait for them.
func (m *Machine) onNoted(now time.Time, in actor.Input, got Noted) {
	m.gossip.noting = 0
	if in.Err != nil {
		return
	}
	if got.Known > m.known {
		m.auto.dry, m.auto.pickAt = 0, now
	}
	m.known = got.Known
}

// learn, noteAttempted, noteConnected and noteGood collect for the book. What
// does not fit is dropped: peers will tell it again.
func (m *Machine) learn(addrs []*wire.NetAddressV2, source netip.AddrPort) {
	g := &m.gossip
	addrs = addrs[:min(len(addrs), m.cfg.MaxNotes-g.learned)]
	if len(addrs) == 0 {
		return
	}
	g.learned += len(addrs)
	g.note.Learned = append(g.note.Learned, Learned{Addrs: addrs, Source: source})
}

func (m *Machine) noteAttempted(addr netip.AddrPort) {
	if n := &m.gossip.note; len(n.Attempted) < m.cfg.MaxNotes {
		n.Attempted = append(n.Attempted, addr)
	}
}

func (m *Machine) noteConnected(addr netip.AddrPort) {
	if n := &m.gossip.note; len(n.Connected) < m.cfg.MaxNotes {
		n.Connected = append(n.Connected, addr)
	}
}

func (m *Machine) noteGood(addr netip.AddrPort, services wire.ServiceFlag) {
	if n := &m.gossip.note; len(n.Good) < m.cfg.MaxNotes {
		n.Good = append(n.Good, Good{Addr: addr, Services: services})
	}
}

// tendGossip tells the book, asks it for samples and sends what waits.
func (m *Machine) tendGossip(out *actor.Outbox) {
	g := &m.gossip
	n := &g.note
	if g.noting == 0 && len(n.Learned)+len(n.Attempted)+len(n.Connected)+len(n.Good) > 0 {
		if t, ok := m.ports.Note.Ask(out, 0, *n); ok {
			g.noting, g.note, g.learned = t, Note{}, 0
		}
	}
	for len(g.asking) > 0 {
		if _, ok := m.ports.Sample.Ask(out, uint64(g.asking[0]), Sample{Max: wire.MaxV2AddrPerMsg}); !ok {
			break
		}
		g.asking = g.asking[1:]
	}
	for i := range m.slots {
		s := &m.slots[i]
		if s.pending == nil || s.sending {
			continue
		}
		if _, ok := m.ports.Send.Ask(out, peer.To(s.id), uint64(s.id), peer.Send{Msgs: []wire.Message{s.pending}}); !ok {
			break
		}
		s.pending, s.sending = nil, true
	}
}
