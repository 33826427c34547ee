package node

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/adapters/rpc"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/live"
	"acyclic/internal/proof/bubble"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/server"
)

// memory is a log for tests.
type memory struct {
	mu  sync.Mutex
	got []string
}

func (m *memory) Record(subsystem string, _ actor.ID, rec actor.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if subsystem == "watch" {
		m.got = append(m.got, rec.Msg+" "+fmt.Sprint(rec.Fields...))
	}
}

// first is the first entry; "" if there is none.
func (m *memory) first() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.got) == 0 {
		return ""
	}
	return m.got[0]
}

type deaf struct{}

func (deaf) Tell(actor.ID, any) {}

// alone is a node as it is wired, with a worker of the test's. It dials nobody, and no
// other adapter is asked.
func alone(log Logger, worker adapter.HandlerFunc) *Node {
	l := Derive(8, RPCHandlers)
	n := &Node{Settings: Settings{Limits: l, Peer: peer.Config{Bounds: l.Peer}, Server: server.Config{Bounds: l.Server}}}
	n.Settings.Server.OutboundTarget = 0
	n.Node = live.New(log)
	unasked := adapter.HandlerFunc(func(_ context.Context, in actor.Input) any { panic(fmt.Sprintf("asked %T", in.Body)) })
	n.Wire(Wire(n.Settings, Adapters{
		Worker:    cell.Adapter{ID: EngineWorker, Name: "engine", Handler: worker, Workers: 1},
		Readers:   cell.Adapter{ID: EngineReaders, Name: "readers", Handler: unasked, Workers: 1},
		Transport: cell.Adapter{ID: Transport, Name: "transport", Teller: deaf{}, Handler: unasked, Workers: 1},
		Book:      cell.Adapter{ID: Book, Name: "book", Handler: unasked, Workers: 1},
		Resolver:  cell.Adapter{ID: Resolver, Name: "resolver", Handler: unasked, Workers: 1},
	}))
	return n
}

// In the node as it is wired the engine's first call does not come back, as on a
// disk that has died. Only the engine is named, within its bound of minutes. chain, which
// asked it, and netsync and relay go on and answer.
func TestL12AHungEngineIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var log memory
		n := alone(&log, func(ctx context.Context, _ actor.Input) any {
			<-ctx.Done()
			return chain.CaughtUp{}
		})
		l := n.Settings.Limits
		dog := n.watchConfig(t.TempDir(), &log)
		dog.TraceBytes = 0 // a process has one flight recorder
		n.Watch = watch.New(dog)
		n.Node.Start()
		n.Watch.Start()

		var ports actor.Ports
		handler := rpc.Connect(&ports, Targets, l.RPC)
		time.Sleep(l.Watch.Engine.Run - time.Second)
		if s := n.Watch.Stuck(); len(s) > 0 {
			t.Errorf("before the engine's bound these are stuck: %v", s)
		}
		time.Sleep(2 * time.Second)
		if s := n.Watch.Stuck(); len(s) != 1 || s[0].ID != EngineWorker || s[0].Why != watch.Running || s[0].With != "chain.CatchUp" {
			t.Errorf("stuck are %v, want the engine in chain.CatchUp", s)
		}
		if got := log.first(); !strings.Contains(got, "chain asked engine chain.CatchUp (chain.catch-up)") {
			t.Errorf("the log says %q", got)
		}
		if _, err := adapter.Ask(context.Background(), n.Asker(HandlerID(n.Settings, 0)), handler.SyncStatus, netsync.GetStatus{}); err != nil {
			t.Errorf("netsync does not answer: %v", err)
		}
		if r := n.Watch.Report(); len(r.WaitEdges) > 0 {
			t.Errorf("components wait: %+v", r.WaitEdges)
		}
		if err := n.Node.Stop(l.StopWithin); err != nil {
			t.Error(err)
		}
		n.Watch.Stop(time.Second)
	})
}
