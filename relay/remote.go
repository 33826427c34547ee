package relay

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/relay/track"
)

// remote is what relay knows of one peer.
type remote struct {
	id      actor.ID
	headers bool // it wants headers instead of inv (BIP130)
	known   known
	news    news
	wants   wants

	out     *message // the message that is sent next; nil: none
	sending bool     // its cell has been asked to send out
	read    readKind // what the readers are asked for it
	held    *message // the outcome of a read, which waits for out; nil: none

	// Of transactions. A peer hears of them unless one of us has asked for none.
	hears     bool
	inbound   bool
	wtxids    bool  // it names them by wtxid (BIP339)
	floor     int64 // it wants to hear of none that pays less
	tells     telling
	got       got
	lastTx    time.Time // when one of its transactions was accepted
	feefilter bool      // it is told which fee rate is of use to us
	fee       track.FeeFilter
	feeOpen   bool // the rate has changed since it was told
	tellFee   bool // feeRate is to be sent
	feeRate   int64

	retryAt time.Time // nothing is begun for it before then; zero: no clock runs
}

// message is one Send and what it counts for once it was taken.
type message struct {
	send     peer.Send
	item     kind // served; unserved: none
	items    int  // how many
	headers  int  // served
	notFound int
}

// send1 is a message of one wire message.
func send1(msg wire.Message) *message {
	return &message{send: peer.Send{Msgs: []wire.Message{msg}}}
}

// find returns the index of a peer in m.peers, or where it would be.
func (m *Machine) find(id actor.ID) (i int, ok bool) {
	return slices.BinarySearchFunc(m.peers, id, func(p *remote, id actor.ID) int { return cmp.Compare(p.id, id) })
}

// peer returns a peer, or nil if it is not known.
func (m *Machine) peer(id actor.ID) *remote {
	if i, ok := m.find(id); ok {
		return m.peers[i]
	}
	return nil
}

func (m *Machine) onReady(now time.Time, e peer.Ready) {
	i, ok := m.find(e.Peer)
	if ok {
		panic("relay: Ready twice")
	}
	p := &remote{
		id: e.Peer, known: newKnown(m.cfg.MaxKnown), inbound: e.Inbound, wtxids: e.WTxIDs,
		hears:     !e.NoTxs && !e.BlockRelayOnly,
		feefilter: e.Protocol >= wire.FeeFilterVersion && !e.BlockRelayOnly && !m.cfg.BlocksOnly,
	}
	p.tells.known = track.NewFilter(m.cfg.Txs.Known, m.key())
	m.peers = slices.Insert(m.peers, i, p)
	if p.wtxids {
		m.wtxidPeers++
	}
	if p.feefilter {
		m.fees.wanted = m.fees.wanted || !m.fees.known
		m.lookAtFee(now, p)
	}
}

// forget drops everything about a peer. What the readers still owe on its behalf
// counts among the reads until the answer comes.
func (m *Machine) forget(id actor.ID) {
	i, ok := m.find(id)
	if !ok {
		return
	}
	p := m.peers[i]
	m.hand.forget(p)
	m.requests.ForgetPeer(id)
	m.orphans.ForgetPeer(id)
	if p.wtxids {
		m.wtxidPeers--
	}
	m.peers = slices.Delete(m.peers, i, i+1)
}

// end orders a peer's cell to end, and forgets the peer. The reason is shown in
// its Gone.
func (m *Machine) end(p *remote, reason string, out *actor.Outbox) {
	out.End(p.id, reason, false)
	m.forget(p.id)
}

// idle says whether there is nothing to send to a peer. It spares nearly every look at
// nearly every peer: advance looks at all of them after each input. As long as the inv of
// the tip is owed (wants.continued), so is the end of the getdata that it follows.
func (m *Machine) idle(p *remote) bool {
	return p.out == nil && p.held == nil && len(p.news) == 0 && !p.tells.due && !p.tellFee &&
		p.wants.runs.n == 0 && m.requests.Waiting() == 0
}

// send gives a peer its next message, unless it has not taken the last one.
func (m *Machine) send(now time.Time, p *remote, out *actor.Outbox) {
	if p.sending || m.idle(p) || !p.retryAt.IsZero() {
		return
	}
	if p.out == nil {
		p.out = m.nextMessage(now, p)
	}
	if p.out != nil {
		_, p.sending = m.ports.Send.Ask(out, peer.To(p.id), uint64(p.id), p.out.send)
		m.starved = m.starved || !p.sending
	}
}

// nextMessage takes the most urgent message of a peer. That is the answer to its
// getheaders or getblocks, then news, then what is small and concerns transactions, then
// items.
func (m *Machine) nextMessage(now time.Time, p *remote) *message {
	held := p.held
	switch {
	case held != nil && held.item == unserved:
		p.held = nil
		return held
	case len(p.news) > 0 && m.roundAt.IsZero():
		return m.announcement(p)
	}
	if msg := m.aboutTxs(now, p); msg != nil {
		return msg
	}
	switch {
	case held != nil:
		p.held = nil
		return held
	case p.wants.continued:
		p.wants.continued = false
		return send1(blockInv(m.tip.Hash))
	}
	return m.notFound(now, p)
}

// aboutTxs is the next message about transactions, or nil.
func (m *Machine) aboutTxs(now time.Time, p *remote) *message {
	if msg := p.feeMessage(); msg != nil {
		return msg
	}
	if msg := m.getTxs(now, p); msg != nil {
		return msg
	}
	if p.tells.due {
		return m.txsInv(now, p)
	}
	return nil
}

// onSent is the end of a Send. After ErrBusy the same message is tried again. A
// peer that has not taken it in time is ended: its cell keeps the slot.
func (m *Machine) onSent(now time.Time, in actor.Input, out *actor.Outbox) {
	p := m.peer(actor.ID(in.Key))
	if p == nil {
		return
	}
	p.sending = false
	switch in.Err {
	case nil:
		m.served[p.out.item] += uint64(p.out.items)
		m.stats.HeadersServed += uint64(p.out.headers)
		m.stats.NotFound += uint64(p.out.notFound)
		p.out = nil
	case actor.ErrBusy:
		p.retryAt = now.Add(m.cfg.RetryAfter)
	case actor.ErrGone:
		m.end(p, "its cell has gone", out)
	default:
		m.end(p, "it does not take what it asked for", out)
	}
}

// check verifies what must hold for a peer. starved says that something found no
// slot, and may wait for one.
func (p *remote) check(cfg *Bounds, roundDue, starved bool) error {
	for _, err := range []error{
		p.known.check(),
		p.news.check(&p.known, cfg.MaxAnnounce),
		p.wants.check(cfg.MaxWanted, cfg.MaxLocators),
		p.tells.queue.check(cfg.MaxQueued), p.tells.known.Check(), p.fee.Check(),
	} {
		if err != nil {
			return err
		}
	}
	waits := !p.retryAt.IsZero()
	switch {
	case p.sending && p.out == nil:
		return fmt.Errorf("nothing is to be sent, and it is being sent")
	case p.out != nil && !p.sending && !waits && !starved:
		return fmt.Errorf("a message that nobody sends")
	case p.held != nil && (p.out == nil || p.read != noRead):
		return fmt.Errorf("an answer is held back for no reason")
	case p.held != nil && p.held.items > 0 && p.out.items > 0:
		return fmt.Errorf("items of two reads are in memory")
	case p.out == nil && !waits && (p.tells.due || p.tellFee):
		return fmt.Errorf("it is to be told something about transactions, and nobody tells it")
	case len(p.tells.queue) > 0 && !p.tells.due && p.tells.at.IsZero():
		return fmt.Errorf("transactions to announce and no time for it")
	case len(p.tells.queue) > 0 && !p.hears:
		return fmt.Errorf("transactions to announce to a peer that is to hear of none")
	case p.out == nil && !waits && len(p.news) > 0 && !roundDue:
		return fmt.Errorf("blocks to announce and no round due")
	}
	return nil
}
