package explore

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/peer"
	"acyclic/server"
)

// The askers of these scenarios, beside the cells and adapters of the node.
var (
	listenID = node.ListenerID(0)
	minerID  = node.ListenerID(0) + 1
)

// outsideWorld is all that is around a node. Remote peers connect, shake hands, say their
// script and hang up at any time. The engine knows a chain of a few blocks, which a miner
// submits.
type outsideWorld struct {
	Conns  []remote
	Script []string // what each remote peer says after the handshake
	Slow   bool     // a remote peer reads in a separate move
	Blocks int      // that the miner will still submit
	Engine engine
	Wiring wiring
}

// remote is one connection.
type remote struct {
	State   remoteState
	Peer    actor.ID
	Said    int
	Over    bool         // the remote peer has hung up
	Closed  bool         // the node has
	Written peer.Flushed // what Flushed will say
	Flushed peer.Flushed
	Told    int // blocks announced to it
}

type remoteState uint8

const (
	away    remoteState = iota
	waiting             // for the listener to be admitted
	bound               // its cell has claimed it
	shaken              // it has shaken hands
)

// engine has a chain without branches.
type engine struct {
	Known  []chain.Point // of headers, genesis first
	Best   int           // index of the best block
	Events []chain.Event
}

// wiring has the ports of the askers.
type wiring struct {
	Admit  actor.Port[server.Admit, server.Admitted]
	Submit actor.Port[chain.SubmitBlock, chain.Verdict]
}

var regtest = &chaincfg.RegressionNetParams

func point(h *wire.BlockHeader, height int32) chain.Point {
	return chain.Point{Hash: h.BlockHash(), Height: height, Work: chain.WorkFrom64(uint64(height + 1)), Time: h.Timestamp}
}

// blocks are those that the miner has.
var blocks = func() (all []*wire.MsgBlock) {
	prev := *regtest.GenesisHash
	for i := range 3 {
		b := wire.NewMsgBlock(&wire.BlockHeader{
			Version: 4, PrevBlock: prev, Timestamp: Epoch.Add(time.Duration(i) * time.Second), Bits: regtest.PowLimitBits,
		})
		all = append(all, b)
		prev = b.BlockHash()
	}
	return all
}()

func newOutside(conns, toMine int) *outsideWorld {
	return &outsideWorld{
		Conns: make([]remote, conns), Blocks: toMine,
		Engine: engine{Known: []chain.Point{point(&regtest.GenesisBlock.Header, 0)}},
	}
}

// messageBytes is what a message counts on its connection's account.
const messageBytes = 10

// The moves of the world outside; Cell is the connection's number.
const (
	connects = iota
	handshakes
	says1
	hangsUp
	reads
	mines
)

func (o *outsideWorld) Moves(w *World) (all []Move) {
	for i := range o.Conns {
		r, id := &o.Conns[i], actor.ID(i)
		switch {
		case r.State == away:
			if i == 0 || o.Conns[i-1].State != away { // they are alike, so they come in order
				if n, _ := w.Sys.Lookup(listenID).Mail.Save(); n.Free(0) > 0 && !w.Stopped {
					all = append(all, Move{Act, id, connects})
				}
			}
			continue
		case r.State == waiting || r.Over || r.Closed:
			continue
		}
		if c := w.Sys.Lookup(r.Peer); c == nil || c.Ended() {
			continue
		} else if msgs, bytes := c.CreditLeft(); msgs > 1 && bytes > 0 {
			if r.State == bound {
				all = append(all, Move{Act, id, handshakes})
			} else if r.Said < len(o.Script) {
				all = append(all, Move{Act, id, says1})
			}
		}
		all = append(all, Move{Act, id, hangsUp})
		if o.Slow && r.Flushed != r.Written {
			all = append(all, Move{Act, id, reads})
		}
	}
	if o.Blocks > 0 && !w.Stopped {
		if n, _ := w.Sys.Lookup(minerID).Mail.Save(); n.Free(0) > 0 {
			all = append(all, Move{Act, 0, mines})
		}
	}
	return all
}

func (o *outsideWorld) Name(m Move) string {
	return fmt.Sprintf("remote peer %d %s", m.Cell, [...]string{"connects", "shakes hands", "says something", "hangs up", "reads", "sleeps; the miner submits a block"}[m.N])
}

func (o *outsideWorld) Do(w *World, m Move) {
	i := int(m.Cell)
	r := &o.Conns[i]
	conn := peer.ConnID(i + 1)
	receive := func(msg wire.Message) {
		w.Sys.Deliver(node.Transport, r.Peer, actor.Inbound, peer.Received{Conn: conn, Command: msg.Command(), Msg: msg, Bytes: messageBytes}, messageBytes)
	}
	switch m.N {
	case connects:
		r.State = waiting
		w.Ask(listenID, o.Wiring.Admit.Timeout, node.Server, server.Admitted{}, server.Admit{
			Conn: conn, Remote: address(i), Local: address(99)})
	case handshakes:
		r.State = shaken
		receive(hello)
		receive(wire.NewMsgVerAck())
	case says1:
		receive(phrases[o.Script[r.Said]])
		r.Said++
	case hangsUp:
		r.Over = true
		w.Sys.Deliver(node.Transport, r.Peer, actor.Inbound, peer.EOF{Conn: conn, Reason: "closed by the other side"}, 0)
	case reads:
		r.Flushed = r.Written
		w.Sys.Deliver(node.Transport, r.Peer, actor.Events, r.Flushed, 0)
	case mines:
		b := blocks[len(o.Engine.Known)-1]
		o.Blocks--
		w.Ask(minerID, o.Wiring.Submit.Timeout, node.Chain, chain.Verdict{}, chain.SubmitBlock{Block: b, Hash: b.BlockHash()})
	}
}

var (
	hello = func() *wire.MsgVersion {
		return &wire.MsgVersion{ProtocolVersion: int32(wire.AddrV2Version), Services: wire.SFNodeNetwork | wire.SFNodeWitness,
			Timestamp: Epoch, Nonce: 7, UserAgent: "/remote/"}
	}()
	phrases = map[string]wire.Message{
		"sendheaders": wire.NewMsgSendHeaders(),
		"headers":     wire.NewMsgHeaders(), // none: "I have nothing for you"
		"getheaders":  &wire.MsgGetHeaders{ProtocolVersion: wire.ProtocolVersion, BlockLocatorHashes: []*chainhash.Hash{regtest.GenesisHash}},
	}
)

func address(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i), 0, 1}), 18444)
}

func (o *outsideWorld) conn(id peer.ConnID) *remote { return &o.Conns[id-1] }

func (o *outsideWorld) Tell(w *World, _, from actor.ID, body any) {
	switch b := body.(type) {
	case peer.Bind:
		o.conn(b.Conn).State, o.conn(b.Conn).Peer = bound, from
	case peer.Write:
		r := o.conn(b.Conn)
		switch b.Command {
		case wire.CmdInv, wire.CmdHeaders:
			r.Told++
		}
		if o.Slow {
			r.Written.Conn = b.Conn
			r.Written.Bytes += uint64(len(b.Payload))
			r.Written.Msgs++
		}
	case peer.Close:
		o.conn(b.Conn).Closed = true
	case server.Refuse:
		o.conn(b.Conn).Closed = true
	}
}

func (o *outsideWorld) Answered(w *World, asker actor.ID, in actor.Input) {
	if a, ok := in.Body.(server.Admitted); ok && a.Peer == 0 {
		for i := range o.Conns {
			if o.Conns[i].State == waiting {
				o.Conns[i].Closed = true // the listener asks one at a time
			}
		}
	}
}

func (o *outsideWorld) Serve(w *World, _ actor.ID, q any) any {
	e := &o.Engine
	switch b := q.(type) {
	case chain.CatchUp:
		return chain.CaughtUp{Changes: e.changes(b.Seen)}
	case chain.ApplyBlock:
		return e.apply(b)
	case chain.GetLocator:
		tip := e.Known[len(e.Known)-1]
		return chain.Locator{Hashes: []*chainhash.Hash{&tip.Hash}, Tip: tip}
	case chain.GetHeaders:
		return chain.Headers{}
	case chain.GetPath:
		return chain.Path{Known: true, To: e.Known[len(e.Known)-1]}
	case chain.GetForks:
		var f chain.Forks
		for range b.Hashes {
			f.Points, f.Shared = append(f.Points, chain.Point{}), append(f.Shared, chain.Point{})
		}
		return f
	case chain.GetBlock:
		return chain.Block{Hash: b.Hash}
	}
	panic(fmt.Sprintf("the engine is asked %T", q))
}

func (e *engine) tips() chain.Tips {
	return chain.Tips{Block: e.Known[e.Best], Header: e.Known[len(e.Known)-1], MedianTime: Epoch}
}

func (e *engine) changes(seen uint64) chain.Changes {
	return chain.Changes{Tips: e.tips(), Events: slices.Clone(e.Events[seen:]), Last: uint64(len(e.Events))}
}

func (e *engine) apply(q chain.ApplyBlock) chain.BlockApplied {
	v := chain.Verdict{Hash: q.Hash, InBestChain: true}
	if slices.ContainsFunc(e.Known, func(p chain.Point) bool { return p.Hash == q.Hash }) {
		v.Code = chain.Duplicate
	} else {
		p := point(&q.Block.Header, int32(len(e.Known)))
		e.Known = append(e.Known, p)
		e.Best = len(e.Known) - 1
		e.Events = append(e.Events, chain.BlockConnected{Point: p, Header: q.Block.Header, Source: q.Source, Txs: 1, Size: 285})
	}
	v.Tip = e.Known[e.Best]
	return chain.BlockApplied{Verdict: v, Changes: e.changes(q.Seen)}
}

// wired returns the production wiring with small bounds, without the cells that a
// scenario leaves out.
func wired(o *outsideWorld, seats int, tune func(*node.Limits), without ...actor.ID) func(w *World) *cell.Plan {
	return func(w *World) *cell.Plan {
		l := node.Derive(seats, 1)
		l.Seats = seats
		l.Credit = cell.Credit{Msgs: 3, Bytes: 1 << 16}
		l.Dials, l.Resolvers, l.EngineReaders, l.RPCHandlers = 1, 1, 1, 1
		win := &l.Windows
		win.SyncHeaders, win.SyncBlocks, win.SyncLocators, win.SyncPaths, win.SyncForks = 1, 1, 1, 1, 1
		l.Chain.Worker = 1
		l.Relay.MaxReads, l.Relay.AnnounceDelay, l.Relay.AnnounceInterval = 1, 0, 0
		l.BlockEvents = 1
		l.Deaths = cell.Deaths{} // counted deaths are more state; TestL11ThreeDeathsStopTheNode in internal/proof/sim has them
		if tune != nil {
			tune(&l)
		}
		s := node.Settings{Limits: l, Peer: peer.Config{Bounds: l.Peer}, Server: server.Config{Bounds: l.Server}, Listeners: 1}
		s.Server.MaxPeers, s.Server.OutboundTarget, s.Server.NoDNSSeed = seats, 0, true
		s.Peer.UserAgent, s.Peer.Services = "/here/", wire.SFNodeNetwork|wire.SFNodeWitness
		plan := node.Wire(s, node.Adapters{
			Worker:    cell.Adapter{ID: node.EngineWorker, Name: "engine", Handler: served, Workers: 1},
			Readers:   cell.Adapter{ID: node.EngineReaders, Name: "readers", Handler: served, Workers: 1},
			Transport: cell.Adapter{ID: node.Transport, Name: "transport", Handler: served, Workers: 1},
			Book:      cell.Adapter{ID: node.Book, Name: "book", Handler: served, Workers: 1},
			Resolver:  cell.Adapter{ID: node.Resolver, Name: "resolver", Handler: served, Workers: 1},
		})
		var lp, mp actor.Ports
		o.Wiring.Admit = node.ConnectTransport(&lp, l).Admit
		o.Wiring.Submit = actor.Connect[chain.SubmitBlock](&mp, "miner.submit", node.ToChain, 1, win.Submit)
		plan.Askers = []cell.Asker{{ID: listenID, Name: "listener", Ports: lp.Specs}, {ID: minerID, Name: "miner", Ports: mp.Specs}}
		without := append(without, node.Display) // no law is about the display
		if slices.Contains(without, node.Chain) {
			without = append(without, node.EngineReaders) // no chain, no engine
		}
		plan.Subscribers = nil
		plan.Adapters = slices.DeleteFunc(plan.Adapters, func(a cell.Adapter) bool { return slices.Contains(without, a.ID) })
		plan.Cells = slices.DeleteFunc(plan.Cells, func(c cell.Static) bool { return slices.Contains(without, c.ID) })
		for i := range plan.Topics {
			t := &plan.Topics[i]
			t.Subs = slices.DeleteFunc(slices.Clone(t.Subs), func(id actor.ID) bool { return slices.Contains(without, id) })
		}
		return plan
	}
}

// peek reads a field of a machine.
func peek[T any](m actor.Machine, name string) T {
	f := reflect.ValueOf(m).Elem().FieldByName(name)
	return *(*T)(unsafe.Pointer(f.UnsafeAddr()))
}

func count(m actor.Machine, name string) int {
	return reflect.ValueOf(m).Elem().FieldByName(name).Len()
}

// agreed says whether the components know the connections and the tip.
func agreed(w *World) error {
	living, open := 0, 0
	for _, l := range w.Sys.Bus().Lives() {
		living++
		if l.Opened {
			open++
		}
	}
	tip := w.Env.(*outsideWorld).Engine.tips()
	if w.Machine(node.Chain) == nil {
		tip = chain.Tips{} // no chain publishes it
	}
	if m := w.Machine(node.Server); m != nil && count(m, "remotes") != living {
		return fmt.Errorf("the server knows %d connections, %d live", count(m, "remotes"), living)
	}
	if m := w.Machine(node.Netsync); m != nil {
		if n := count(m, "ready"); n != open {
			return fmt.Errorf("netsync knows %d peers, %d are ready", n, open)
		}
		if got := peek[chain.Tips](m, "tips"); got != tip {
			return fmt.Errorf("netsync believes the tip is %d, it is %d", got.Block.Height, tip.Block.Height)
		}
	}
	if m := w.Machine(node.Relay); m != nil {
		if n := count(m, "peers"); n != open {
			return fmt.Errorf("relay knows %d peers, %d are ready", n, open)
		}
		if got := peek[chain.Point](m, "tip"); got != tip.Block {
			return fmt.Errorf("relay believes the tip is %d, it is %d", got.Height, tip.Block.Height)
		}
	}
	return nil
}

// nodeScenario is a node of production machines on the production wiring, with
// some remote peers and blocks to mine, without some of its cells.
func nodeScenario(name string, conns, seats, mine int, tune func(*node.Limits), without ...actor.ID) *Scenario {
	o := newOutside(conns, mine)
	return &Scenario{
		Name: name, Plan: wired(o, seats, tune, without...),
		Env:  func() Env { return o },
		Rest: agreed, Settle: 3,
		Horizon: 29 * time.Second, // before the clocks of a connection's cell
		Message: messageBytes,
	}
}

// slowReader lets remote peers read late. Peer cells then answer a Send late.
func slowReader(sc *Scenario) *Scenario {
	sc.Env().(*outsideWorld).Slow = true
	return sc
}

// impatient lets a Send time out before its connection does.
func impatient(l *node.Limits) {
	l.Peer.QueueCap = 1
	l.Windows.RelaySend = 5 * time.Second
}
