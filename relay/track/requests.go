package track

import (
	"cmp"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Requests decides which transactions are asked of which peers, and when. Its rules are
// those of Bitcoin Core's txrequest.h:
//
//   - Of all peers that have announced a hash, one is asked at a time. So nothing is
//     fetched twice.
//   - The peer that is asked is one that we connected to, if there is one whose delay is
//     over. Among equals a keyed hash of the transaction and the peer decides. So nobody
//     can arrange to be the one who is asked, for instance by announcing first, and then
//     withhold a transaction.
//   - A peer that does not deliver in time, says that it has not got it, delivers
//     something else under that name, or leaves, is not asked again. The next one is.
//     So silent peers only delay a transaction: by RequestTimeout each.
//   - Announcements have delays (see [Requests.RequestTime]).
//   - A peer has MaxAnnounced announcements at most, those completed included. So it
//     costs a bounded amount of memory, and cannot push out what others announce.
//
// A hash is a txid or a wtxid. The tracker does not know which ones belong together:
// who hears of a transaction tells it both.
//
// For each announcement that changes, a method takes a few steps for each doubling of what
// is held, and moves a list of at most one pointer for each peer.
type Requests struct {
	cfg  Bounds
	key  [2]uint64
	next uint64 // the sequence number of the next announcement

	peers map[actor.ID]*announcer
	txs   map[chainhash.Hash]*transaction
	times queue // those delayed and those requested, by time

	ready, inFlight int // announcements: the best, those requested
}

// announcer is a peer with announcements.
type announcer struct {
	id       actor.ID
	all      []*announcement // in no order that matters
	best     queue           // those to ask it for, by sequence
	inFlight int
}

// transaction is a hash that somebody has announced.
type transaction struct {
	hash     chainhash.Hash
	all      []*announcement // by peer
	ready    queue           // by rank
	selected *announcement   // the best one, or the one requested
	open     int32           // how many are not completed
}

// announcement is the word of one peer that it has one transaction.
type announcement struct {
	tx       *transaction
	from     *announcer
	at       time.Time // when its delay ends, or its request expires
	sequence uint64    // in which order all announcements came
	rank     uint64    // the highest one is asked for first
	place    int32     // its index in the queue of its state
	inFrom   int32     // its index in from.all
	state    state
	wtxid    bool
}

type state uint8

const (
	delayed   state = iota // in Requests.times
	ready                  // in its transaction's queue; there is a selected one
	best                   // in its peer's queue; it is its transaction's selected one
	requested              // in Requests.times; it is its transaction's selected one
	completed              // in no queue
)

// better says whether a is to be asked for before b, of the same transaction.
func (a *announcement) better(b *announcement) bool {
	return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.from.id, b.from.id)) < 0
}

func (a *announcement) name() peer.TxName { return peer.TxName{Hash: a.tx.hash, WTxID: a.wtxid} }

// Request is a transaction that was asked of a peer.
type Request struct {
	Peer actor.ID
	Name peer.TxName
}

// NewRequests returns a tracker without announcements. The key must be random and
// secret.
func NewRequests(b Bounds, key [2]uint64) *Requests {
	return &Requests{cfg: b, key: key, peers: map[actor.ID]*announcer{}, txs: map[chainhash.Hash]*transaction{}}
}

// RequestTime is when a transaction may be asked of a peer that announces it now.
// Preferred peers are those that we connected to. wtxidPeers says whether any peer
// announces by wtxid (BIP339). The delays add up.
func (r *Requests) RequestTime(now time.Time, id actor.ID, name peer.TxName, preferred, wtxidPeers bool) time.Time {
	var delay time.Duration
	if !preferred {
		delay += r.cfg.NonPreferredDelay
	}
	if !name.WTxID && wtxidPeers {
		delay += r.cfg.TxIDDelay
	}
	if r.InFlight(id) >= r.cfg.MaxInFlight {
		delay += r.cfg.OverloadedDelay
	}
	return now.Add(delay)
}

// ReceivedInv notes that a peer has announced a transaction, which may be asked for
// from a time on. It returns false and notes nothing if the peer has announced that hash
// already, or has announced too much.
func (r *Requests) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	p, tx := r.peers[id], r.txs[name.Hash]
	if p != nil && len(p.all) >= r.cfg.MaxAnnounced {
		return false
	}
	if tx == nil {
		tx = &transaction{hash: name.Hash}
	}
	i, had := tx.find(id)
	if had {
		return false
	}
	if p == nil {
		p = &announcer{id: id}
		r.peers[id] = p
	}
	r.txs[name.Hash] = tx
	a := &announcement{tx: tx, from: p, at: at, sequence: r.next, rank: r.rank(id, name.Hash, preferred), wtxid: name.WTxID}
	r.next++
	tx.all = slices.Insert(tx.all, i, a)
	tx.open++
	a.inFrom = int32(len(p.all))
	p.all = append(p.all, a)
	r.enter(a, delayed)
	return true
}

// rank puts preferred peers before others. The rest of it is chance by the key, and
// stays what it is if the same peer announces the transaction again.
func (r *Requests) rank(id actor.ID, h chainhash.Hash, preferred bool) uint64 {
	rank := sipHash(r.key, &h, uint64(id)) >> 1
	if preferred {
		rank |= 1 << 63
	}
	return rank
}

// find is where the announcement of a peer is, or would be, in the list.
func (t *transaction) find(id actor.ID) (at int, found bool) {
	return slices.BinarySearchFunc(t.all, id, func(a *announcement, id actor.ID) int { return cmp.Compare(a.from.id, id) })
}

// Advance lets time pass: delays end and requests expire. It returns the requests that
// have expired, in the order of their time. What has become ready stays so if the time
// goes back.
func (r *Requests) Advance(now time.Time) (expired []Request) {
	for len(r.times) > 0 && !r.times[0].at.After(now) {
		a := r.times[0]
		if a.state == delayed {
			r.promote(a)
			continue
		}
		expired = append(expired, Request{a.from.id, a.name()})
		r.complete(a)
	}
	return expired
}

// Deadline is when time alone will change something. Zero: it will not. It is after the
// time of the last Advance, unless an announcement has come since whose delay is over.
func (r *Requests) Deadline() time.Time {
	if len(r.times) == 0 {
		return time.Time{}
	}
	return r.times[0].at
}

// Requestable are the transactions to ask a peer for now, in the order in which it
// announced them: so parents are likely to come before their children. They are at most
// max.
func (r *Requests) Requestable(id actor.ID, max int) []peer.TxName {
	if r.Ready(id) == 0 {
		return nil
	}
	list := r.peers[id].best.first(max, bySequence)
	names := make([]peer.TxName, len(list))
	for i, a := range list {
		names[i] = a.name()
	}
	return names
}

// Requested notes that a peer is asked for a transaction that Requestable has named. It
// returns false and notes nothing if that is not so.
func (r *Requests) Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool {
	a := r.announced(id, h)
	if a == nil || a.state != best {
		return false
	}
	r.leave(a)
	a.at = expiry
	r.enter(a, requested)
	return true
}

// Response notes that a peer has sent what it announced, or has said that it has not got
// it. It is not asked for it again.
func (r *Requests) Response(id actor.ID, h chainhash.Hash) {
	if a := r.announced(id, h); a != nil {
		r.complete(a)
	}
}

// ForgetTx forgets all announcements of a hash: nobody need be asked any more.
func (r *Requests) ForgetTx(h chainhash.Hash) {
	if tx := r.txs[h]; tx != nil {
		r.dropTx(tx)
	}
}

// ForgetPeer forgets all announcements of a peer. What it was asked for, somebody else is
// asked for next.
func (r *Requests) ForgetPeer(id actor.ID) {
	for p := r.peers[id]; p != nil && len(p.all) > 0; {
		if a := p.all[len(p.all)-1]; a.state == completed {
			r.drop(a)
		} else {
			r.complete(a)
		}
	}
}
