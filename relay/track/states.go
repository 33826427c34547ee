package track

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
)

// queueOf is the queue of a state. A completed announcement has none.
func (r *Requests) queueOf(a *announcement) (*queue, order) {
	switch a.state {
	case ready:
		return &a.tx.ready, byRank
	case best:
		return &a.from.best, bySequence
	case completed:
		return nil, 0
	}
	return &r.times, byTime
}

// enter puts an announcement that is in no state into one.
func (r *Requests) enter(a *announcement, s state) {
	a.state = s
	r.counts(a, 1)
	if s == best || s == requested {
		a.tx.selected = a
	}
	if q, o := r.queueOf(a); q != nil {
		q.push(a, o)
	}
}

// leave takes an announcement out of its state. It must enter another, or be dropped.
func (r *Requests) leave(a *announcement) {
	r.counts(a, -1)
	if a.tx.selected == a {
		a.tx.selected = nil
	}
	if q, o := r.queueOf(a); q != nil {
		q.remove(a, o)
	}
}

func (r *Requests) counts(a *announcement, by int) {
	switch a.state {
	case best:
		r.ready += by
	case requested:
		r.inFlight += by
		a.from.inFlight += by
	}
}

// promote makes an announcement ready whose delay is over. It becomes the best one if
// nobody is asked for the transaction and no better one is ready.
func (r *Requests) promote(a *announcement) {
	r.leave(a)
	was := a.tx.selected
	switch {
	case was == nil:
		r.enter(a, best)
	case was.state == best && a.better(was):
		r.leave(was)
		r.enter(was, ready)
		r.enter(a, best)
	default:
		r.enter(a, ready)
	}
}

// complete notes that a peer will not be asked for a transaction any more. If it was the
// selected one, the best of those that are ready takes its place. If nobody is left to
// ask, all is forgotten.
func (r *Requests) complete(a *announcement) {
	tx := a.tx
	switch {
	case a.state == completed:
		return
	case tx.open == 1:
		r.dropTx(tx)
		return
	}
	r.leave(a)
	r.enter(a, completed)
	tx.open--
	if tx.selected == nil && len(tx.ready) > 0 {
		next := tx.ready[0]
		r.leave(next)
		r.enter(next, best)
	}
}

// dropTx forgets all announcements of a hash.
func (r *Requests) dropTx(tx *transaction) {
	for _, a := range tx.all {
		r.leave(a)
		r.unlist(a)
	}
	delete(r.txs, tx.hash)
	if len(r.txs) == 0 {
		r.txs = map[chainhash.Hash]*transaction{} // a map that was large stays large
	}
}

// drop forgets one announcement, which is completed. The transaction has others.
func (r *Requests) drop(a *announcement) {
	i, _ := a.tx.find(a.from.id)
	a.tx.all = slices.Delete(a.tx.all, i, i+1)
	r.unlist(a)
}

// unlist takes an announcement off its peer's list.
func (r *Requests) unlist(a *announcement) {
	p := a.from
	last := p.all[len(p.all)-1]
	p.all[a.inFrom], last.inFrom = last, a.inFrom
	p.all = shorter(p.all)
	if len(p.all) == 0 {
		delete(r.peers, p.id)
	}
}

func (r *Requests) announced(id actor.ID, h chainhash.Hash) *announcement {
	tx := r.txs[h]
	if tx == nil {
		return nil
	}
	if i, ok := tx.find(id); ok {
		return tx.all[i]
	}
	return nil
}

// InFlight is how many requests a peer has not answered.
func (r *Requests) InFlight(id actor.ID) int {
	if p := r.peers[id]; p != nil {
		return p.inFlight
	}
	return 0
}

// Ready is how many transactions the peer can be asked for now.
func (r *Requests) Ready(id actor.ID) int {
	if p := r.peers[id]; p != nil {
		return len(p.best)
	}
	return 0
}

// Flying is how many requests no peer has answered.
func (r *Requests) Flying() int { return r.inFlight }

// Waiting is how many transactions can be asked for now, of all peers together.
func (r *Requests) Waiting() int { return r.ready }

// Announcers are the peers that are, or may yet be, asked for a transaction, the best of
// them first. They can be asked for its parents too (Core's GetCandidatePeers).
func (r *Requests) Announcers(h chainhash.Hash) (ids []actor.ID) {
	tx := r.txs[h]
	if tx == nil {
		return nil
	}
	list := slices.DeleteFunc(slices.Clone(tx.all), func(a *announcement) bool { return a.state == completed })
	slices.SortFunc(list, func(a, b *announcement) int {
		if a.better(b) {
			return -1
		}
		return 1
	})
	for _, a := range list {
		ids = append(ids, a.from.id)
	}
	return ids
}

// Asked says whether a peer was asked for a transaction and has not answered.
func (r *Requests) Asked(id actor.ID, h chainhash.Hash) bool {
	a := r.announced(id, h)
	return a != nil && a.state == requested
}
