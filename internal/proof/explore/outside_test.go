package explore

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/peer"
	"acyclic/server"
)

// outsideWorld is all that is around a node. Remote peers connect or are dialled, shake
// hands, say their script, answer what they are asked, announce blocks and hang up at
// any time. A miner submits blocks, and somebody asks by RPC.
type outsideWorld struct {
	Conns  []remote
	Blocks int      // that the miner will still submit
	RPC    []string // what will be asked, one after the other
	Fails  int      // dials that may fail
	Down   bool     // the next dial fails
	Breaks bool     // the engine's database may fail
	Seeks  bool     // the node wants a peer from the address book
	Deaf   bool     // the server does not hear of tips, of which it only notes the height
	Asking int      // the connection that the listener asks about
	Engine engine
	Wiring wiring
	Sights sights
}

// sights are what was seen to happen in an exploration. They are no part of the state.
type sights map[string]int

func init() { opaque[reflect.TypeFor[sights]()] = true }

// sees notes that something has happened on one of the ways that are explored.
func (o *outsideWorld) sees(w *World, what string) {
	if !w.playing {
		o.Sights[what]++
	}
}

// messageBytes is what a message counts on its connection's account.
const messageBytes = 10

// The moves of the world outside; Cell is the connection's number. An answer's number is
// answers and the position of what is answered among what the remote peer owes.
const (
	connects = iota
	handshakes
	speaks
	hangsUp
	breach
	reads
	mines
	asksRPC
	goesDown
	breaks
	grows
	lacks
	alters
	answers
)

func (o *outsideWorld) Name(m Move) string {
	names := [...]string{"connects", "shakes hands", "says something", "hangs up", "breaks the framing", "reads",
		"sleeps; the miner submits a block", "sleeps; somebody asks by RPC", "sleeps; the next dial will fail",
		"sleeps; the database fails", "announces a block", "says notfound", "sends an altered block", "answers"}
	return fmt.Sprintf("remote peer %d %s", m.Cell, names[min(m.N, answers)])
}

func (o *outsideWorld) Moves(w *World) (all []Move) {
	for i := range o.Conns {
		all = o.ofRemote(w, i, all)
	}
	if w.Stopped {
		return all
	}
	if o.Blocks > 0 && w.MayAsk(minerID) {
		all = append(all, Move{Act, 0, mines})
	}
	if len(o.RPC) > 0 && o.rpcTarget() != 0 && w.MayAsk(rpcID(o.RPC[0])) {
		all = append(all, Move{Act, 0, asksRPC})
	}
	if o.Fails > 0 && !o.Down {
		all = append(all, Move{Act, 0, goesDown})
	}
	if o.Breaks && !o.Engine.Broken {
		all = append(all, Move{Act, 0, breaks})
	}
	return all
}

// ofRemote lists what one remote peer may do.
func (o *outsideWorld) ofRemote(w *World, i int, all []Move) []Move {
	r, id := &o.Conns[i], actor.ID(i)
	switch {
	case r.State == away:
		if !r.Dialled && (i == 0 || o.Conns[i-1].State != away) && w.MayAsk(listenID) { // they come in order
			all = append(all, Move{Act, id, connects})
		}
		return all
	case r.State == waiting || r.Over || r.Closed:
		return all
	}
	c := w.Sys.Lookup(r.Peer)
	if c == nil || c.Ended() {
		return all
	}
	if msgs, bytes := c.CreditLeft(); msgs > 1 && bytes > 0 {
		all = r.says(id, all)
	}
	if !r.Stays {
		all = append(all, Move{Act, id, hangsUp})
	}
	if r.Rude && r.State == shaken {
		all = append(all, Move{Act, id, breach})
	}
	if r.Slow && r.Flushed != r.Written {
		all = append(all, Move{Act, id, reads})
	}
	return all
}

// Kind answers what is owed. A remote peer that withholds its blocks is never kind. In
// the run-up all connect and shake hands.
func (o *outsideWorld) Kind(w *World) (Move, bool) {
	up := w.sc.Begun != nil && !w.sc.Begun(w)
	for i := range o.Conns {
		for _, m := range o.ofRemote(w, i, nil) {
			if up && m.N <= handshakes && !o.Conns[i].Late || !up && m.N >= answers {
				return m, true
			}
		}
	}
	return Move{}, false
}

// greeted says whether all that are to come in the run-up have shaken hands.
func greeted(w *World) bool {
	o := w.Env.(*outsideWorld)
	return !slices.ContainsFunc(o.Conns, func(r remote) bool { return r.State != shaken && !r.Late && !r.Dialled })
}

func (o *outsideWorld) Do(w *World, m Move) {
	i := int(m.Cell)
	r := &o.Conns[i]
	conn := peer.ConnID(i + 1)
	switch m.N {
	case connects:
		r.State, r.Barred, o.Asking = waiting, o.banned(i), i
		w.Ask(listenID, o.Wiring.Admit.Timeout, node.Server, server.Admitted{}, server.Admit{
			Conn: conn, Remote: r.address(i), Local: address(99)})
	case hangsUp:
		r.Over = true
		w.Sys.Deliver(node.Transport, r.Peer, actor.Inbound, peer.EOF{Conn: conn, Reason: "closed by the other side"}, 0)
	case breach:
		r.Over, r.Broke = true, true
		w.Sys.Deliver(node.Transport, r.Peer, actor.Inbound, peer.EOF{Conn: conn, Reason: "another network", Fault: true}, 0)
	case reads:
		r.Flushed = r.Written
		w.Sys.Deliver(node.Transport, r.Peer, actor.Events, r.Flushed, 0)
	case mines:
		b := tree[[]int{a1, a2}[len(o.Engine.Blocks)-1]].block
		o.Blocks--
		w.Ask(minerID, o.Wiring.Submit.Timeout, node.Chain, o.Wiring.verdict(), o.Wiring.submit(b))
	case asksRPC:
		name, to := o.RPC[0], o.rpcTarget()
		o.RPC = o.RPC[1:]
		q := rpcQuestions[name]
		w.Ask(rpcID(name), o.Wiring.Admit.Timeout, to, q.none, q.q)
	case goesDown:
		o.Down = true
		o.Fails--
	case breaks:
		o.Engine.Broken = true
	default:
		for _, msg := range r.speak(m.N) {
			w.Sys.Deliver(node.Transport, r.Peer, actor.Inbound,
				peer.Received{Conn: conn, Command: msg.Command(), Msg: msg, Bytes: messageBytes}, messageBytes)
		}
	}
}

// Read says what the sockets of remote peers that are not slow have taken: all that was
// written, also after the peer has hung up. Of a connection that is closed nothing is told.
func (o *outsideWorld) Read(w *World) {
	for i := range o.Conns {
		r := &o.Conns[i]
		if r.Closed {
			r.Written, r.Flushed = peer.Flushed{}, peer.Flushed{}
		}
		for !r.Slow && r.Flushed != r.Written {
			was := r.Written // the cell may write more
			if !w.Give(w.Sys.Lookup(r.Peer), node.Transport, was) {
				break
			}
			r.Flushed = was
		}
	}
}

func (o *outsideWorld) conn(id peer.ConnID) *remote { return &o.Conns[id-1] }

func (o *outsideWorld) Tell(w *World, _, from actor.ID, body any) {
	switch b := body.(type) {
	case peer.Bind:
		o.conn(b.Conn).State, o.conn(b.Conn).Peer = bound, from
	case peer.Write:
		r := o.conn(b.Conn)
		msg, err := peer.Decode(b.Command, b.Payload)
		if err != nil {
			w.Violate("%s writes a message that cannot be read: %v", b.Command, err)
			return
		}
		o.sees(w, "write "+b.Command)
		r.hear(msg)
		r.Written.Conn = b.Conn
		r.Written.Bytes += uint64(len(b.Payload))
		r.Written.Msgs++
	case peer.Close:
		o.conn(b.Conn).Closed = true
		o.conn(b.Conn).Owes = nil
	case server.Refuse:
		o.conn(b.Conn).Closed = true
		o.sees(w, "refuse a dialled connection")
	}
}

func (o *outsideWorld) Answered(w *World, asker actor.ID, in actor.Input) {
	a, ok := in.Body.(server.Admitted)
	if !ok {
		return
	}
	r := &o.Conns[o.Asking] // the listener asks one at a time
	if a.Peer == 0 && r.State == waiting {
		r.Closed = true
		o.sees(w, "refuse: "+a.Reason)
	}
	if a.Peer != 0 && r.Barred {
		w.Violate("a peer is let in from an address that is banned")
	}
}

// banned says whether the node has ended a connection from the same host as a remote
// peer's for a fault.
func (o *outsideWorld) banned(i int) bool {
	return slices.ContainsFunc(o.Conns, func(r remote) bool {
		return r.Broke && r.Closed && r.Host == o.Conns[i].Host && r.Host != 0
	})
}

// Serve plays the adapters that are asked.
func (o *outsideWorld) Serve(w *World, _ actor.ID, q any) any {
	switch b := q.(type) {
	case server.Dial:
		return o.dial(w, b)
	case server.Pick:
		picked := server.Picked{}
		for i := range o.Conns {
			if r := &o.Conns[i]; r.Dialled && r.State == away {
				picked.Known++
				picked.Addrs = append(picked.Addrs, r.address(i))
			}
		}
		return picked
	case server.Sample:
		return server.Sampled{Addrs: phrases["addrv2"].(*wire.MsgAddrV2).AddrList}
	case server.Note:
		if len(b.Learned) > 0 {
			o.sees(w, "learn addresses")
		}
		return server.Noted{Known: len(o.Conns)}
	case server.Resolve:
		if o.Down {
			o.Down = false
			return server.Resolved{Err: "no such host"}
		}
		return server.Resolved{Addrs: []netip.AddrPort{o.Conns[0].address(0)}}
	}
	if _, is := q.(chain.GetPool); is {
		o.sees(w, "ask for the pool")
	}
	before := len(o.Engine.Events)
	a := o.Engine.answer(w.Clock, q)
	for _, e := range o.Engine.Events[before:] {
		o.sees(w, strings.TrimPrefix(fmt.Sprintf("%T", e), "chain."))
	}
	return a
}

func (o *outsideWorld) dial(w *World, q server.Dial) server.Dialed {
	if o.Down {
		o.Down = false
		o.sees(w, "fail to dial")
		return server.Dialed{Err: "connection refused"}
	}
	for i := range o.Conns {
		if r := &o.Conns[i]; r.Dialled && r.State == away && r.address(i) == q.Addr {
			r.State = waiting
			o.sees(w, "dial")
			return server.Dialed{Conn: peer.ConnID(i + 1), Local: address(99), Remote: q.Addr}
		}
	}
	return server.Dialed{Err: "no answer"}
}

func address(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i), 0, 1}), 18444)
}
