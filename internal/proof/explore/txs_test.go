package explore

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/node"
	"acyclic/relay/track"
)

// txsScenario is a node with relay and chain, and remote peers that announce a transaction.
func txsScenario(name string, peers []manner, mustSee []string, faults ...fault) *Scenario {
	all := append([]fault{tuned(relaysTxs, node.Netsync), func(sc *Scenario) { sc.Rest, sc.Leap = traded, 4*time.Second },
		within(50 * time.Second), // all clocks of relay come before that
	}, faults...)
	return blocksScenario(name, a1, peers, mustSee, all...)
}

// relaysTxs has small filters, since they are part of each state, and one clock: how long a
// peer may take to deliver.
func relaysTxs(s *node.Settings) {
	s.Peer.WantTxs = true
	t := &s.Limits.Relay.Txs
	t.Rejected, t.Confirmed, t.Known = tinyFilter, tinyFilter, tinyFilter
	t.NonPreferredDelay, t.TxIDDelay, t.OverloadedDelay = 0, 0, 0
	t.RequestTimeout, t.MaxInFlight, t.MaxAnnounced = 5*time.Second, 1, 2
	t.TrickleInbound = time.Second
	s.Limits.Windows.RelayTxs, s.Limits.TxEvents = 1, 1
}

var tinyFilter = track.FilterSize{Entries: 8, FalsePositives: 1e-6}

// silent announces a transaction and delivers nothing. seller delivers it.
func silent() manner { return manner{Script: []string{"inv a tx"}, Stays: true} }
func seller() manner { return manner{Script: []string{"inv a tx"}, Sells: true, Stays: true} }

// traded says whether relay is done with transactions: nobody is asked for one, none waits for
// chain, and it knows the pool. What an honest peer has, the node has (law L9).
func traded(w *World) error {
	if err := agreed(w); err != nil {
		return err
	}
	o, m := w.Env.(*outsideWorld), w.Machine(node.Relay)
	if m == nil {
		return nil
	}
	requests := peek[*track.Requests](m, "requests")
	v := reflect.ValueOf(m).Elem()
	waiting, offers := inside(v, "hand", "waiting").Int(), inside(v, "hand", "offers").Len()
	names := inside(v, "pool", "byTxID").Len()
	switch {
	case requests.Flying()+requests.Waiting() > 0:
		return fmt.Errorf("law L9: %d transactions are asked of peers, and %d may be", requests.Flying(), requests.Waiting())
	case waiting > 0 || offers > 0:
		return fmt.Errorf("law L9: %d transactions wait at relay, and %d have no verdict", waiting, offers)
	case names != len(o.Engine.Pool):
		return fmt.Errorf("relay knows %d transactions of the pool, which has %d", names, len(o.Engine.Pool))
	}
	for i := range o.Conns {
		r := &o.Conns[i]
		honest := r.Sells && len(r.Script) == 0 && !r.Over && !r.Closed
		if honest && !slices.Contains(o.Engine.Pool, 0) && !on(a2, o.Engine.Tip) {
			return fmt.Errorf("law L9: an honest peer has announced a transaction, and the node has not got it")
		}
	}
	return nil
}

// mined lets a miner submit the block that confirms the transaction.
func mined(o *outsideWorld) { o.Blocks = 1 }

// txScenarios are about relay's transactions.
func txScenarios() []*Scenario {
	leaver := seller()
	leaver.Stays = false
	heard := []string{"TxAccepted", "TxConfirmed", "write getdata"}
	return []*Scenario{
		txsScenario("a transaction of two peers, one of them silent", []manner{silent(), seller()}, []string{"TxAccepted", "write getdata"}, jumps(2)),
		txsScenario("a transaction told to another peer, which wants it", []manner{seller(), {Script: []string{"getdata a tx"}, Stays: true}},
			[]string{"write inv", "write tx", "write notfound"}, jumps(1), func(sc *Scenario) { sc.Leap = 0 }),
		txsScenario("a transaction of two peers, one of them silent, and one that may hang up", []manner{silent(), leaver}, []string{"TxAccepted", "write getdata"}, twice),
		txsScenario("a transaction that nobody delivers, and a block that confirms it", []manner{silent()}, []string{"TxConfirmed", "write getdata"}, jumps(1), around(mined)),
		txsScenario("a transaction of a peer that may hang up, while the pool is asked for", []manner{leaver},
			[]string{"TxAccepted", "ask for the pool"}, around(transactions)),
		txsScenario("a transaction, and stop", []manner{leaver}, heard, stop, around(mined)),
	}
}

// longTxScenarios take longer.
func longTxScenarios() []*Scenario {
	leaver := seller()
	leaver.Stays = false
	return []*Scenario{
		txsScenario("a transaction of two peers, one silent, one that may hang up, and a block that confirms it", []manner{silent(), leaver},
			[]string{"TxAccepted", "TxConfirmed", "write getdata"}, around(mined)),
	}
}

// txMutations are those that show in them.
var txMutations = []mutation{
	{"L9", "a request for a transaction that is late does not end", func() *Scenario {
		return txsScenario("", []manner{silent(), seller()}, nil, tuned(func(s *node.Settings) {
			relaysTxs(s)
			s.Limits.Relay.Txs.RequestTimeout = time.Hour
		}, node.Netsync))
	}, "are asked of peers"},
	{"L9", "relay does not hear a verdict", func() *Scenario {
		return txsScenario("", []manner{seller()}, nil, deafTo(node.Relay, func(e *mailbox.Envelope) {
			if _, is := e.In.Body.(chain.TxVerdict); is {
				e.In.Key = 0
			}
		}))
	}, "have no verdict"},
	{"L9", "relay does not hear that it has missed events of the pool", func() *Scenario {
		sc := txsScenario("", []manner{seller()}, nil, around(transactions))
		sc.Deliver = without(node.Relay, func(e *mailbox.Envelope) bool { _, lag := e.In.Body.(actor.Lagged); return lag })
		return sc
	}, "transactions of the pool"},
}
