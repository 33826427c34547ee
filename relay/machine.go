package relay

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/relay/track"
)

// Ports are what relay may ask. Send needs one slot per peer. A Send that has
// timed out ends the connection, so its timeout must be longer than the
// transport's write deadline. The reads need MaxReads slots each.
type Ports struct {
	Headers actor.Port[chain.GetHeaders, chain.Headers]
	Hashes  actor.Port[chain.GetHashes, chain.Hashes]
	Block   actor.Port[chain.GetBlock, chain.Block]
	Tips    actor.Port[chain.GetTips, chain.Tips] // one slot

	Tx       actor.Port[chain.SubmitTx, chain.TxVerdict]
	PoolTxs  actor.Port[chain.GetPoolTxs, chain.PooledTxs] // a read
	Pool     actor.Port[chain.GetPool, chain.Pool]         // one slot
	PoolInfo actor.Port[chain.GetPoolInfo, chain.PoolInfo] // one slot

	Send actor.PortOf[peer.Send, peer.Sent, peer.Peer]
}

// Config is what the wiring gives relay.
type Config struct {
	Bounds

	// BlocksOnly says that no peer is to send us transactions (--blocksonly).
	BlocksOnly bool
}

// Machine is the relay component.
type Machine struct {
	cfg    Config
	ports  Ports
	topics chain.Topics // to know which one Lagged is about
	rng    *rand.Rand

	peers []*remote // in the order of their IDs

	reads    int      // outstanding, those for peers that are gone included
	lastRead actor.ID // the peer that was given the last read
	starved  bool     // in the last step something found no slot

	tip       chain.Point // the best block, as last heard
	resync    inquiry     // the tip, after missed events
	roundAt   time.Time   // when the next announcement round is due; zero: none is
	lastRound time.Time

	transactions

	served [numKinds]uint64 // items
	stats  Status
}

// transactions is what relay knows of them.
type transactions struct {
	// caughtUp is set once a best block has come that is no older than MaxTipAge.
	// Before that, transactions cannot be judged and nothing is fetched.
	caughtUp   bool
	wtxidPeers int // peers that announce by wtxid

	pool        pool
	pending     pending
	requests    *track.Requests
	hand        hand
	orphans     *track.Orphans
	rejected    *track.Filter // by wtxid, since the last block
	confirmed   *track.Filter // by both names
	unbroadcast *track.Unbroadcast
	trickle     *track.Trickle
	fees        fees
	rounder     track.FeeRounder
}

// New returns a relay without peers. rng is the source of all chance, and secret.
func New(cfg Config, ports Ports, topics chain.Topics, rng *rand.Rand) *Machine {
	m := &Machine{cfg: cfg, ports: ports, topics: topics, rng: rng}
	m.transactions = transactions{
		pool: newPool(cfg.MaxPool), pending: pending{max: cfg.MaxPoolChanges}, hand: newHand(rng.Uint32()),
		requests: track.NewRequests(cfg.Txs, m.key()), orphans: track.NewOrphans(cfg.Txs),
		rejected: track.NewFilter(cfg.Txs.Rejected, m.key()), confirmed: track.NewFilter(cfg.Txs.Confirmed, m.key()),
		unbroadcast: track.NewUnbroadcast(cfg.Txs), trickle: track.NewTrickle(cfg.Txs),
		rounder: track.NewFeeRounder(cfg.FeeSteps),
	}
	return m
}

// key makes a random key.
func (m *Machine) key() [2]uint64 { return [2]uint64{m.rng.Uint64(), m.rng.Uint64()} }

// Step handles one input and then begins whatever can be begun.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		m.onStart(e)
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		m.onTick(now)
	case actor.Freed: // advance uses the slot
		m.onFreed(in.Key)
	case actor.Lagged:
		m.onLagged(e)

	case peer.Ready:
		m.onReady(now, e)
	case peer.Gone:
		m.forget(e.Peer)
	case peer.WantsHeaders:
		m.onWantsHeaders(e)
	case peer.Announced:
		m.onAnnounced(e)
	case peer.HeadersWanted:
		m.onHeadersWanted(e)
	case peer.BlocksWanted:
		m.onBlocksWanted(e)
	case peer.DataWanted:
		m.onDataWanted(e, out)
	case peer.TxsAnnounced:
		m.onTxsAnnounced(now, e)
	case peer.TxReceived:
		m.onTxReceived(now, e)
	case peer.TxsNotFound:
		m.onTxsNotFound(e)
	case peer.FeeFilter:
		m.onFeeFilter(e)
	case peer.Sent:
		m.onSent(now, in, out)

	case chain.BlockConnected:
		m.onConnected(now, e)
	case chain.BlockDisconnected:
		m.onDisconnected(e)
	case chain.TxAccepted:
		m.onAccepted(now, e)
	case chain.TxResent:
		m.onResent(now, e)
	case chain.TxRemoved:
		m.onRemoved(now, e)
	case chain.TxConfirmed:
		m.onConfirmed(e)
	case chain.TxVerdict:
		m.onVerdict(now, in, e, out)
	case chain.Pool:
		m.onPool(now, in, e)
	case chain.PoolInfo:
		m.onPoolInfo(now, in, e)
	case chain.Tips:
		m.onTips(now, in, e)
	case chain.Headers:
		m.onHeaders(now, in, e)
	case chain.Hashes:
		m.onHashes(now, in, e)
	case chain.Block:
		m.onBlock(now, in, e)
	case chain.PooledTxs:
		m.onPooledTxs(now, in, e)

	case GetPeers:
		m.onGetPeers(e.Call(in), out)
	case GetUnbroadcast:
		m.onGetUnbroadcast(e.Call(in), out)
	case GetStatus:
		m.onGetStatus(e.Call(in), out)
	default:
		panic(fmt.Sprintf("relay: unknown input %T", in.Body))
	}
	m.advance(now, out)
}

// advance begins whatever can be begun. It looks at every peer, which takes some 3 µs
// for 125 of them. What finds no slot needs no clock: an answer, or Freed, brings
// the next chance (law L9).
func (m *Machine) advance(now time.Time, out *actor.Outbox) {
	m.starved = false
	m.stats.TxsNotDelivered += uint64(len(m.requests.Advance(now)))
	m.offerTxs(out) // makes room for what is asked for next
	for _, p := range m.peers {
		m.send(now, p, out)
	}
	m.startReads(now, out)
	m.askTips(out)
	m.askPool(out)
	m.askFees(now, out)
}

// Deadline is when the next clock has come to its time.
func (m *Machine) Deadline() time.Time {
	var first actor.Earliest
	first.Add(m.roundAt, m.resync.retryAt, m.pending.retryAt, m.fees.retryAt)
	first.Add(m.requests.Deadline(), m.orphans.Deadline(), m.unbroadcast.Deadline())
	for _, p := range m.peers {
		first.Add(p.retryAt, p.tells.at, p.feeDue())
	}
	return first.At()
}

// onTick stops the clocks that have come to their time.
func (m *Machine) onTick(now time.Time) {
	if due(m.roundAt, now) {
		m.roundAt, m.lastRound = time.Time{}, now
	}
	for _, q := range [...]*inquiry{&m.resync, &m.pending.inquiry, &m.fees.inquiry} {
		if due(q.retryAt, now) {
			q.retryAt = time.Time{}
		}
	}
	m.orphans.Advance(now)
	m.tellAgain(now)
	for _, p := range m.peers {
		if due(p.retryAt, now) {
			p.retryAt = time.Time{}
		}
		if due(p.tells.at, now) {
			p.tells.at, p.tells.due = time.Time{}, true
		}
		if due(p.feeDue(), now) {
			m.lookAtFee(now, p)
		}
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

func (m *Machine) onGetStatus(call actor.Call[Status], out *actor.Outbox) {
	s := m.stats
	s.Peers, s.BlocksServed, s.TxsServed = len(m.peers), m.served[block], m.served[tx]
	s.Unbroadcast, s.TxsWaiting, s.TxsInFlight = m.unbroadcast.Len(), m.hand.waiting+len(m.hand.offers), m.requests.Flying()
	call.Answer(out, s)
}

func (m *Machine) onGetUnbroadcast(call actor.Call[Unbroadcast], out *actor.Outbox) {
	call.Answer(out, Unbroadcast{TxIDs: m.unbroadcast.TxIDs()})
}

func (m *Machine) onGetPeers(call actor.Call[Peers], out *actor.Outbox) {
	a := Peers{Peers: make([]PeerStatus, len(m.peers))}
	for i, p := range m.peers {
		a.Peers[i] = PeerStatus{p.id, p.lastTx, len(p.tells.queue)}
	}
	call.Answer(out, a)
}

// Check verifies what must hold between two steps.
func (m *Machine) Check() error {
	reading := 0
	for _, p := range m.peers {
		if err := p.check(&m.cfg.Bounds, !m.roundAt.IsZero(), m.starved); err != nil {
			return fmt.Errorf("relay: peer %v: %w", p.id, err)
		}
		if p.out == nil && p.retryAt.IsZero() && m.mayFetch(p) {
			return fmt.Errorf("relay: peer %v has transactions that nobody asks it for", p.id)
		}
		if p.read != noRead {
			reading++
		}
		if p.readable() && m.reads < m.cfg.MaxReads && !m.starved {
			return fmt.Errorf("relay: peer %v waits for a read though %d of %d are outstanding", p.id, m.reads, m.cfg.MaxReads)
		}
	}
	switch {
	case !slices.IsSortedFunc(m.peers, func(p, q *remote) int { return cmp.Compare(p.id, q.id) }):
		return errors.New("relay: the peers are out of order")
	case reading > m.reads || m.reads > m.cfg.MaxReads:
		return fmt.Errorf("relay: %d peers read, %d reads are outstanding, %d are allowed", reading, m.reads, m.cfg.MaxReads)
	case m.resync.due() && !m.starved:
		return errors.New("relay: the tip is wanted and not asked for")
	}
	return m.checkTxs()
}

// checkTxs verifies what is about transactions.
func (m *Machine) checkTxs() error {
	wanted, wtxids := 0, 0
	for _, p := range m.peers {
		wanted += p.wants.count()
		if p.wtxids {
			wtxids++
		}
	}
	switch {
	case wanted > m.cfg.MaxWantedOfAll:
		return fmt.Errorf("relay: the peers want %d items, at most %d may wait", wanted, m.cfg.MaxWantedOfAll)
	case wtxids != m.wtxidPeers:
		return fmt.Errorf("relay: %d peers announce by wtxid, counted are %d", wtxids, m.wtxidPeers)
	}
	for _, err := range []error{
		m.pool.check(), m.pending.check(m.starved), m.requests.Check(), m.hand.check(m.peers, &m.cfg.Bounds), m.orphans.Check(),
		m.rejected.Check(), m.confirmed.Check(), m.unbroadcast.Check(), m.fees.check(m.starved),
	} {
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
	}
	return nil
}
