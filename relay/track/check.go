package track

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
)

// Check returns an error if the tracker's state makes no sense. It looks at everything.
func (r *Requests) Check() error {
	var sum struct{ total, ready, inFlight, waiting int }
	//tidy:order each peer is looked at by itself, and any fault will do
	for id, p := range r.peers {
		if err := p.check(id, r.cfg.MaxAnnounced); err != nil {
			return fmt.Errorf("requests of peer %v: %w", id, err)
		}
		sum.total += len(p.all)
		sum.ready += len(p.best)
		sum.inFlight += p.inFlight
		for _, a := range p.all {
			if r.txs[a.tx.hash] != a.tx {
				return fmt.Errorf("requests: peer %v has announced %v, which is not listed", id, a.tx.hash)
			}
		}
	}
	//tidy:order each transaction is looked at by itself, and any fault will do
	for h, tx := range r.txs {
		if err := r.checkTx(h, tx); err != nil {
			return fmt.Errorf("requests of transaction %v: %w", h, err)
		}
		sum.total -= len(tx.all)
	}
	for _, a := range r.times {
		if a.state == delayed || a.state == requested {
			sum.waiting++
		}
	}
	switch {
	case sum.total != 0:
		return fmt.Errorf("requests: the peers have %d announcements more than the transactions", sum.total)
	case sum.ready != r.ready || sum.inFlight != r.inFlight:
		return fmt.Errorf("requests: counted %d to ask and %d in flight, there are %d and %d", r.ready, r.inFlight, sum.ready, sum.inFlight)
	case sum.waiting != len(r.times):
		return fmt.Errorf("requests: %d of %d wait for a time, and should not", len(r.times)-sum.waiting, len(r.times))
	}
	return r.times.check(byTime)
}

func (p *announcer) check(id actor.ID, max int) error {
	inFlight := 0
	for i, a := range p.all {
		if a.from != p || int(a.inFrom) != i {
			return fmt.Errorf("announcement %d is listed with another peer, or elsewhere", i)
		}
		if a.state == requested {
			inFlight++
		}
	}
	switch {
	case p.id != id || len(p.all) == 0:
		return fmt.Errorf("it is %v, with %d announcements", p.id, len(p.all))
	case len(p.all) > max:
		return fmt.Errorf("%d announcements, at most %d are kept", len(p.all), max)
	case inFlight != p.inFlight:
		return fmt.Errorf("%d are in flight, counted %d", inFlight, p.inFlight)
	}
	for _, a := range p.best {
		if a.state != best || a.from != p {
			return fmt.Errorf("%v is to be asked for, in state %d", a.tx.hash, a.state)
		}
	}
	return p.best.check(bySequence)
}

func (r *Requests) checkTx(h chainhash.Hash, tx *transaction) error {
	var in [completed + 1]int
	for i, a := range tx.all {
		in[a.state]++
		q, _ := r.queueOf(a)
		switch {
		case a.tx != tx || r.peers[a.from.id] != a.from:
			return fmt.Errorf("announcement %d is of another transaction, or of no peer", i)
		case i > 0 && tx.all[i-1].from.id >= a.from.id:
			return fmt.Errorf("peer %v has announced it twice, or out of order", a.from.id)
		case q != nil && (int(a.place) >= len(*q) || (*q)[a.place] != a):
			return fmt.Errorf("peer %v's is not in the queue of its state", a.from.id)
		case (a.state == best || a.state == requested) != (tx.selected == a):
			return fmt.Errorf("peer %v's is in state %d, which is selected: %v", a.from.id, a.state, tx.selected == a)
		}
	}
	switch {
	case tx.hash != h || int(tx.open) != len(tx.all)-in[completed] || tx.open == 0:
		return fmt.Errorf("it is %v, and %d of %d are open", tx.hash, tx.open, len(tx.all))
	case in[best]+in[requested] > 1:
		return fmt.Errorf("%d peers are to be asked, and %d are asked", in[best], in[requested])
	case in[ready] != len(tx.ready):
		return fmt.Errorf("%d are ready, %d in the queue", in[ready], len(tx.ready))
	case in[ready] > 0 && tx.selected == nil:
		return fmt.Errorf("%d are ready, and none is selected", in[ready])
	case in[ready] > 0 && in[best] > 0 && tx.ready[0].better(tx.selected):
		return fmt.Errorf("peer %v's is better than the best", tx.ready[0].from.id)
	}
	return tx.ready.check(byRank)
}

// check returns an error if an announcement comes after a later one, or does not know
// its place.
func (q queue) check(o order) error {
	for i, a := range q {
		if int(a.place) != i || i > 0 && o.before(a, q[(i-1)/2]) {
			return fmt.Errorf("a queue in order %d is out of order at %d of %d", o, i, len(q))
		}
	}
	return nil
}
