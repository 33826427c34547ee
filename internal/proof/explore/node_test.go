package explore

import (
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/server"
)

// The askers of these scenarios, beside the cells and adapters of the node.
var (
	listenID = node.ListenerID(0)
	minerID  = node.ListenerID(0) + 1
	firstRPC = node.ListenerID(0) + 2
)

// wiring has the ports of the askers.
type wiring struct {
	Admit  actor.Port[server.Admit, server.Admitted]
	Submit actor.Port[chain.SubmitBlock, chain.Verdict]
}

func newOutside(conns, toMine int) *outsideWorld {
	return &outsideWorld{Conns: make([]remote, conns), Blocks: toMine, Engine: newEngine(genesis), Sights: sights{}}
}

// wired returns the production wiring with small bounds, without the cells that a
// scenario leaves out.
func wired(o *outsideWorld, seats int, tune func(*node.Settings), without ...actor.ID) func(w *World) *cell.Plan {
	return func(w *World) *cell.Plan {
		s := node.Settings{Limits: node.Derive(seats, 1), Listeners: 1}
		l := &s.Limits
		l.Seats = seats
		l.Credit = cell.Credit{Msgs: 3, Bytes: 1 << 16}
		l.Dials, l.Resolvers, l.EngineReaders, l.RPCHandlers = 1, 1, 1, 1
		win := &l.Windows
		win.SyncHeaders, win.SyncBlocks, win.SyncLocators, win.SyncPaths, win.SyncForks = 1, 1, 1, 1, 1
		l.Chain.Worker = 1
		l.Relay.MaxReads, l.Relay.AnnounceDelay, l.Relay.AnnounceInterval = 1, 0, 0
		l.BlockEvents = 1
		l.Deaths = cell.Deaths{}         // counted deaths are more state; TestL11ThreeDeathsStopTheNode in internal/proof/sim has them
		l.Peer.Silence = 5 * time.Minute // so one jump of a few minutes reaches the end of a silent peer
		l.Server.MaxPeers, l.Server.OutboundTarget, s.Server.NoDNSSeed = seats, 0, true
		s.Peer.UserAgent, s.Peer.Services = "/here/", wire.SFNodeNetwork|wire.SFNodeWitness
		if tune != nil {
			tune(&s)
		}
		s.Peer.Bounds, s.Server.Bounds = l.Peer, l.Server
		plan := node.Wire(s, node.Adapters{
			Worker:    cell.Adapter{ID: node.EngineWorker, Name: "engine", Handler: served, Workers: 1},
			Readers:   cell.Adapter{ID: node.EngineReaders, Name: "readers", Handler: served, Workers: 1},
			Transport: cell.Adapter{ID: node.Transport, Name: "transport", Handler: served, Workers: 1},
			Book:      cell.Adapter{ID: node.Book, Name: "book", Handler: served, Workers: 1},
			Resolver:  cell.Adapter{ID: node.Resolver, Name: "resolver", Handler: served, Workers: 1},
		})
		var lp, mp actor.Ports
		o.Wiring.Admit = node.ConnectTransport(&lp, *l).Admit
		o.Wiring.Submit = actor.Connect[chain.SubmitBlock](&mp, "miner.submit", node.ToChain, 1, win.Submit)
		plan.Askers = []cell.Asker{{ID: listenID, Name: "listener", Ports: lp.Specs}, {ID: minerID, Name: "miner", Ports: mp.Specs}}
		plan.Askers = append(plan.Askers, askers(o.RPC, win.Admit)...)
		without := append(without, node.Display) // no law is about the display
		if slices.Contains(without, node.Chain) {
			without = append(without, node.EngineReaders) // no chain, no engine
		}
		plan.Subscribers = nil
		plan.Adapters = slices.DeleteFunc(plan.Adapters, func(a cell.Adapter) bool { return slices.Contains(without, a.ID) })
		plan.Cells = slices.DeleteFunc(plan.Cells, func(c cell.Static) bool { return slices.Contains(without, c.ID) })
		for i := range plan.Topics {
			t := &plan.Topics[i]
			t.Subs = slices.DeleteFunc(slices.Clone(t.Subs), func(id actor.ID) bool {
				return slices.Contains(without, id) || o.Deaf && id == node.Server && t.ID == node.ChainTips
			})
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
func nodeScenario(name string, conns, seats, mine int, tune func(*node.Settings), without ...actor.ID) *Scenario {
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
	o := sc.Env().(*outsideWorld)
	for i := range o.Conns {
		o.Conns[i].Slow = true
	}
	return sc
}

// impatient lets a Send time out before its connection does.
func impatient(s *node.Settings) {
	l := &s.Limits
	l.Peer.QueueCap = 1
	l.Windows.RelaySend = 5 * time.Second
}
