package explore

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
)

// blocksScenario is a node that has a chain, and remote peers that have theirs. It begins
// when they have shaken hands. All that is to be seen in it must be seen.
func blocksScenario(name string, tip int, peers []manner, mustSee []string, faults ...fault) *Scenario {
	o := newOutside(len(peers), 0)
	for i := range peers {
		o.Conns[i].manner = peers[i]
	}
	o.Engine, o.Deaf = newEngine(tip), true
	sc := &Scenario{
		Name: "node, " + name, Plan: wired(o, len(peers), small, node.Relay),
		Env:  func() Env { return o },
		Rest: synced, Settle: 12, Begun: greeted,
		Horizon: 110 * time.Second, // before the second ping of a connection's cell
		Leap:    9 * time.Second,
		Message: messageBytes, MustSee: mustSee,
	}
	for _, f := range faults {
		f(sc)
	}
	return sc
}

// small has windows of two where the order of two matters.
func small(s *node.Settings) {
	l := &s.Limits
	l.Windows.SyncBlocks, l.Chain.Worker = 2, 2
	n := &l.Netsync
	n.Span, n.MinInFlight, n.StartInFlight, n.MaxInFlight = 3, 1, 2, 2
	l.Peer.AskedBlocks = 2 * n.MaxInFlight
}

// tuned changes the bounds further, and leaves some cells out.
func tuned(tune func(*node.Settings), without ...actor.ID) fault {
	return func(sc *Scenario) {
		o := sc.Env().(*outsideWorld)
		sc.Plan = wired(o, len(o.Conns), func(s *node.Settings) {
			small(s)
			if tune != nil {
				tune(s)
			}
		}, without...)
	}
}

// around changes the world outside.
func around(change func(*outsideWorld)) fault {
	return func(sc *Scenario) { change(sc.Env().(*outsideWorld)) }
}

// within changes how late the last deadline is that comes.
func within(d time.Duration) fault { return func(sc *Scenario) { sc.Horizon = d } }

// late lets the clock jump once, also to the fifth minute, when a silent peer is ended. What
// is retried then has another minute, with all the deadlines that this takes.
func late(sc *Scenario) { sc.Jumps, sc.Horizon, sc.Settle = 1, 6*time.Minute, 40 }

// number reads a number in a part of a machine.
func number(m actor.Machine, path ...string) int64 {
	return inside(reflect.ValueOf(m).Elem(), path...).Int()
}

// synced says whether a node in a kind world has got what honest peers have: it is on
// their best chain, waits for no block and holds none (law L9). A remote peer that
// withholds its blocks makes it wait.
func synced(w *World) error {
	if err := agreed(w); err != nil {
		return err
	}
	o := w.Env.(*outsideWorld)
	if err := o.sought(w); err != nil {
		return err
	}
	m := w.Machine(node.Netsync)
	if m == nil || w.Machine(node.Chain) == nil || o.Engine.Broken {
		return nil
	}
	withheld := false
	for i := range o.Conns {
		r := &o.Conns[i]
		if c := w.Sys.Lookup(r.Peer); c == nil || c.Ended() || r.State != shaken || r.Over || r.Closed || !r.Serves {
			continue
		}
		if withheld = withheld || r.Withholds; !r.Withholds && heavier(r.Has, o.Engine.Tip) && !on(c2, r.Has) && !on(d1, r.Has) {
			return fmt.Errorf("law L9: an honest peer has block %d, the node stays at block %d", tree[r.Has].Height, tree[o.Engine.Tip].Height)
		}
	}
	span := inside(reflect.ValueOf(m).Elem(), "span").Elem()
	held, ordered := inside(span, "held").Int(), inside(span, "ordered").Int()
	if !withheld && (held > 0 || ordered > 0) {
		return fmt.Errorf("law L9: nobody withholds anything, and the node waits for %d blocks and holds %d", ordered, held)
	}
	return nil
}

// honest serves its chain and stays, leaves serves and may hang up.
func honest(tip int) manner { return manner{Serves: true, Has: tip, Stays: true} }
func leaves(tip int) manner { return manner{Serves: true, Has: tip} }

// grown announces that its chain has grown.
func grown(shows string, has int, next ...int) manner {
	m := honest(has)
	m.Shows, m.Grows = shows, next
	return m
}

// impatientChain gives up on its engine before anybody gives up on chain.
func impatientChain(s *node.Settings) {
	s.Limits.Chain.WorkerTimeout, s.Limits.Windows.Read = 3*time.Second, 3*time.Second
}

var (
	connected   = []string{"BlockConnected"}
	reorganised = []string{"BlockDisconnected", "BlockConnected"}
)

// blockScenarios have blocks outside.
func blockScenarios() []*Scenario {
	lacking, altering, liar := honest(a2), honest(a2), honest(b3)
	lacking.Lacks, altering.Alters, liar.Withholds = 1, 1, true
	long := honest(longTip)
	long.Withholds = true
	fetch := manner{Script: []string{"getheaders", "getdata two"}, Stays: true}
	fetch2 := manner{Script: []string{"getblocks", "getdata tx"}, Stays: true}
	return []*Scenario{
		blocksScenario("two blocks from a peer that may hang up", genesis, []manner{leaves(a2)}, connected),
		blocksScenario("a block from a peer, late by any clock", genesis, []manner{honest(a1)}, connected, late),
		blocksScenario("two blocks from two peers", genesis, []manner{honest(a2), honest(a2)}, connected),
		blocksScenario("a peer that withholds what another one serves", genesis, withholder(), connected),
		blocksScenario("a fork with more work", a2, []manner{honest(b3)}, reorganised),
		blocksScenario("a branch that is withheld", a1, []manner{honest(a2), liar}, connected),
		blocksScenario("a peer that lacks a block", genesis, []manner{lacking}, connected),
		blocksScenario("an altered block", genesis, []manner{altering}, connected),
		blocksScenario("a bad block", a1, []manner{honest(c2), honest(a2)}, connected),
		blocksScenario("a header from the future", genesis, []manner{honest(d1)}, nil, late),
		blocksScenario("announced by headers", a1, []manner{grown("headers", a1, a2)}, connected),
		blocksScenario("announced by inv", a1, []manner{grown("inv", a1, a2)}, connected),
		blocksScenario("announced by a block", a1, []manner{grown("block", a1, a2, a3)}, connected),
		blocksScenario("announced by its last header", genesis, []manner{grown("lone", a1, a3)}, connected),
		blocksScenario("headers in two messages", genesis, []manner{long}, []string{"write getdata"},
			func(sc *Scenario) { sc.Rest, sc.Settle = agreed, 0 }), // its blocks never come
		blocksScenario("blocks served", a3, []manner{fetch, fetch2},
			[]string{"write headers", "write inv", "write block", "write notfound"}, tuned(nil, node.Netsync)),
		blocksScenario("a reorganisation announced", a2, []manner{honest(b3), {Script: []string{"sendheaders"}, Stays: true}},
			reorganised, tuned(nil)),
		blocksScenario("a slow engine", genesis, []manner{honest(a1)}, connected, late, tuned(impatientChain, node.Relay)),
		blocksScenario("a database that fails", genesis, []manner{honest(a1)}, connected,
			around(func(o *outsideWorld) { o.Breaks, o.RPC = true, []string{"the tips", "a template"} }),
			func(sc *Scenario) { sc.Halts = true }),
		blocksScenario("a block while any cell dies", genesis, []manner{honest(a1)}, connected, crashes(1)),
		blocksScenario("a block, and stop", genesis, []manner{leaves(a1)}, connected, stop),
		blocksScenario("a block, and questions by RPC", genesis, []manner{honest(a1)}, connected,
			around(func(o *outsideWorld) { o.RPC = []string{"what is synced"} })),
		blocksScenario("a block, and transactions", a1, []manner{honest(a2)}, []string{"BlockConnected", "TxAccepted", "TxRemoved", "TxConfirmed"},
			around(func(o *outsideWorld) {
				o.RPC = []string{"a transaction", "another transaction", "an output", "the file"}
			})),
		blocksScenario("a transaction, and a fork", a2, []manner{honest(b3)}, []string{"BlockDisconnected", "TxAccepted"},
			around(func(o *outsideWorld) { o.RPC = []string{"another transaction"} }), tuned(nil)),
		blocksScenario("a slow engine, and transactions", genesis, []manner{honest(genesis)}, []string{"TxAccepted"}, late,
			tuned(impatientChain, node.Relay, node.Netsync),
			around(func(o *outsideWorld) {
				o.RPC = []string{"a transaction", "another transaction", "a priority"}
			})),
		blocksScenario("pings", a1, []manner{{Pongs: true, Stays: true, Script: []string{"ping", "pong", "inv tx", "long"}}},
			[]string{"write pong"}, jumps(2), within(2*time.Minute), tuned(nil, node.Netsync, node.Relay),
			around(func(o *outsideWorld) { o.RPC = []string{"a peer's figures", "a disconnection"} })),
	}
}

// longBlockScenarios are those with more peers, more blocks or more clocks.
func longBlockScenarios() []*Scenario {
	liar := honest(b3)
	liar.Withholds = true
	return []*Scenario{
		blocksScenario("two blocks from a peer that may hang up, late by any clock", genesis, []manner{leaves(a2)}, connected, late),
		blocksScenario("a fork: one peer has a branch, another one with more work", genesis, []manner{honest(a2), honest(b3)}, reorganised),
		blocksScenario("a branch that is withheld, late by any clock", a1, []manner{honest(a2), liar}, connected, late),
		blocksScenario("announced by headers, twice", genesis, []manner{grown("headers", a1, a2, a3)}, connected, late),
		blocksScenario("two blocks and a slow engine", genesis, []manner{honest(a2)}, connected, late, tuned(impatientChain, node.Relay)),
	}
}

// outbound has the server find and dial one peer.
func outbound(s *node.Settings) {
	s.Limits.Server.OutboundTarget = 1
	s.Server.DefaultPort = 18444
}

// dialScenario has two addresses in the book, of which one is wanted at a time.
func dialScenario(faults ...fault) *Scenario {
	return blocksScenario("a peer is dialled", genesis, []manner{{Dialled: true}, {Dialled: true, Stays: true}}, []string{"dial", "fail to dial"},
		append(faults, jumps(1), around(func(o *outsideWorld) { o.Fails, o.Seeks = 1, true }), func(sc *Scenario) { sc.Leap, sc.Begun = 0, nil },
			tuned(outbound, node.Netsync, node.Relay, node.Chain), within(29*time.Second))...)
}

// banScenario has a host that breaks the framing and comes again.
func banScenario(faults ...fault) *Scenario {
	return blocksScenario("a host is banned", genesis, []manner{{Rude: true, Host: 1, Stays: true}, {Host: 1, Late: true}},
		[]string{"refuse: its address is banned"}, append(faults, tuned(nil, node.Netsync, node.Relay, node.Chain))...)
}

// sought says whether a node that wants a peer has one, or knows no address that answers.
func (o *outsideWorld) sought(w *World) error {
	if o.Seeks && len(w.Sys.Bus().Lives()) == 0 && slices.ContainsFunc(o.Conns, func(r remote) bool { return r.Dialled && r.State == away }) {
		return errors.New("law L9: an address answers, and nobody dials it")
	}
	return nil
}

// withholder is a pair of peers: one withholds the blocks that the other one serves.
func withholder() []manner {
	liar := honest(a1)
	liar.Withholds = true
	return []manner{liar, honest(a1)}
}

// dialScenarios have an address book, or names.
func dialScenarios() []*Scenario {
	gossip := manner{Script: []string{"addr", "getaddr", "addrv2"}, Stays: true}
	return []*Scenario{
		dialScenario(),
		blocksScenario("a named peer is dialled", genesis, []manner{{Dialled: true}}, []string{"write ping"},
			jumps(1), around(func(o *outsideWorld) { o.Fails, o.RPC = 1, []string{"a node added"} }),
			tuned(func(s *node.Settings) { s.Server.AddPeers = []string{"somewhere"} }, node.Netsync, node.Relay, node.Chain), within(29*time.Second)),
		banScenario(),
		blocksScenario("addresses are told", genesis, []manner{gossip}, []string{"learn addresses", "write addr"},
			tuned(func(s *node.Settings) {
				outbound(s)
				s.Limits.Server.MaxPeers, s.Limits.Seats = 2, 2
				s.Server.NoDNSSeed, s.Server.DNSSeeds = false, []string{"seed"}
			}, node.Netsync, node.Relay, node.Chain)),
	}
}
