package node

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"acyclic/config"
	"acyclic/internal/adapters/book"
	"acyclic/internal/adapters/rpc"
	"acyclic/internal/adapters/transport"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/live"
	"acyclic/peer"
	"acyclic/server"
)

// Services are what our version message offers: blocks, with witnesses.
const Services = wire.SFNodeNetwork | wire.SFNodeWitness

// PrunedServices are those of a node that keeps only the last blocks (BIP159).
const PrunedServices = wire.SFNodeNetworkLimited | wire.SFNodeWitness

// Logger takes log records without waiting. logging.Logs is one.
type Logger = live.Logger

// Options are what a node is started with.
type Options struct {
	Config *config.Config
	// Worker carries out the changes of the chain, one at a time. Readers look
	// things up beside it. chain/engine has both.
	Worker, Readers adapter.Handler
	Log             Logger
	// Warn tells the user something before the node runs.
	Warn func(string)
}

// Node is a running node.
type Node struct {
	*live.Node
	Settings  Settings
	Listening []netip.AddrPort
	Watch     *watch.Watchdog

	sockets *transport.Adapter
	book    *book.Book
}

// Start wires the node and runs it. The caller closes what is behind the handlers, after
// Stop.
func Start(o Options) (*Node, error) {
	cfg := o.Config
	n := &Node{Node: live.New(o.Log)}
	var err error
	if n.Settings, err = settings(cfg); err != nil {
		return nil, err
	}
	var warning string
	if n.book, warning, err = book.Open(cfg.DataDir, cfg.Network.Port()); err != nil {
		return nil, fmt.Errorf("the address book in %s: %w", cfg.DataDir, err)
	}
	if warning != "" {
		o.Warn(warning)
	}
	n.sockets = transport.New(n.transportConfig(cfg.Params.Net, o.Log), Transport, n.Node)
	n.Wire(Wire(n.Settings, n.adapters(o)))

	n.Watch = watch.New(n.watchConfig(cfg.DataDir, o.Log))
	n.Node.Start()
	n.Watch.Start()
	for _, addr := range cfg.Listen {
		bound, err := n.sockets.Listen(addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--listen=%s: %w; want a free address of this machine", addr, err), n.Stop())
		}
		n.Listening = append(n.Listening, bound)
	}
	return n, nil
}

// adapters are the real ones.
func (n *Node) adapters(o Options) Adapters {
	l := n.Settings.Limits
	return Adapters{
		Worker:    cell.Adapter{ID: EngineWorker, Name: "engine", Handler: o.Worker, Workers: 1},
		Readers:   cell.Adapter{ID: EngineReaders, Name: "readers", Handler: o.Readers, Workers: l.EngineReaders},
		Transport: cell.Adapter{ID: Transport, Name: "transport", Teller: n.sockets, Handler: n.sockets, Workers: l.Dials},
		Book:      cell.Adapter{ID: Book, Name: "book", Handler: n.book, Workers: 1},
		Resolver:  cell.Adapter{ID: Resolver, Name: "resolver", Handler: book.Resolver{}, Workers: l.Resolvers},
	}
}

// watchConfig names what may take longer than a cell.
func (n *Node) watchConfig(dataDir string, log Logger) watch.Config {
	l := n.Settings.Limits.Watch
	return watch.Config{
		Bounds: l.Bounds,
		System: n.System(),
		Dir:    filepath.Join(dataDir, "stalls"),
		Log:    func(rec actor.Record) { log.Record("watch", 0, rec) },
		Of: map[actor.ID]watch.Patience{
			Chain: l.Chain, EngineWorker: l.Engine, EngineReaders: l.Readers,
			Transport: l.Transport, Book: l.Book, Resolver: l.Resolver,
		},
	}
}

// settings derives what the wiring needs from the user's configuration.
func settings(cfg *config.Config) (Settings, error) {
	s := Settings{Limits: Derive(cfg.MaxPeers, RPCHandlers), Listeners: len(cfg.Listen)}
	var seed [16]byte
	crand.Read(seed[:])
	s.Seed = [2]uint64{binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])}

	s.Peer.Bounds = s.Limits.Peer
	s.Peer.Services = Services
	if cfg.PruneBytes > 0 {
		s.Peer.Services = PrunedServices
	}
	s.Peer.UserAgent = cfg.UserAgent
	s.Peer.WantTxs = !cfg.BlocksOnly
	crand.Read(s.Peer.NonceKey[:])

	s.Server.Bounds = s.Limits.Server
	s.Server.ConnectOnly = cfg.Connect
	s.Server.AddPeers = cfg.AddPeer
	s.Server.NoDNSSeed = !cfg.DNSSeed
	s.Server.DefaultPort = cfg.Network.Port()
	for _, seed := range cfg.Params.DNSSeeds {
		s.Server.DNSSeeds = append(s.Server.DNSSeeds, seed.Host)
	}
	if private(cfg.Params) {
		s.Server.OutboundTarget = 0
	}
	return s, nil
}

// private says whether a network has no public nodes. Only named peers are dialled there.
func private(p *chaincfg.Params) bool {
	return p.Net == wire.SimNet || p.Net == chaincfg.RegressionNetParams.Net
}

// transportConfig is the adapter's: how it asks whether a connection may stay.
func (n *Node) transportConfig(magic wire.BitcoinNet, log Logger) transport.Config {
	c := transport.Config{Bounds: n.Settings.Limits.Transport, Magic: magic}
	c.Log = func(rec actor.Record) { log.Record("transport", Transport, rec) }
	var p actor.Ports
	admit := ConnectTransport(&p, n.Settings.Limits).Admit
	c.Admit = func(ctx context.Context, listener int, conn peer.ConnID, remote, local netip.AddrPort) bool {
		a, err := adapter.Ask(ctx, n.Asker(ListenerID(listener)), admit, server.Admit{Conn: conn, Remote: remote, Local: local})
		return err == nil && a.Peer != 0
	}
	return c
}

// Display is what the progress display hears: the latest netsync.Status and server.Status.
func (n *Node) Display() adapter.Subscription { return n.Subscriber(Display) }

// RPC describes the node to the RPC handlers.
func (n *Node) RPC(cfg *config.Config, version int, stop func()) rpc.Node {
	var p actor.Ports
	r := rpc.Node{
		Ports: rpc.Connect(&p, Targets, n.Settings.Limits.RPC), Targets: Targets,
		Params: cfg.Params, DataDir: cfg.DataDir, PruneBytes: cfg.PruneBytes,
		UserAgent: cfg.UserAgent, Services: n.Settings.Peer.Services, Protocol: wire.ProtocolVersion,
		MinRelayFee: cfg.MinRelayTxFee, BlocksOnly: cfg.BlocksOnly,
		Version: version, Started: time.Now(), Stop: stop, Cells: n.cells, Watch: n.Watch, Metrics: n.metrics(),
	}
	for i := range n.Settings.Limits.RPCHandlers {
		r.Askers = append(r.Askers, n.Asker(HandlerID(n.Settings, i)))
	}
	return r
}

// LoadPool reads mempool.dat into the pool. It returns when the file has been read, or
// when ctx ends, which it must before Stop.
func (n *Node) LoadPool(ctx context.Context, f PoolFile) {
	var p actor.Ports
	l := loader{PoolFile: f, asker: n.Asker(Loader), ports: ConnectLoader(&p, n.Settings.Limits)}
	l.run(ctx)
}

// metrics are the cells', and those of the Go runtime and the process.
func (n *Node) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(n.Watch, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// cells lists the mailboxes, for getmailboxes. RPC handlers that have asked nothing
// yet are left out.
func (n *Node) cells() (all []cell.Stats) {
	for _, c := range n.System().Cells() {
		if st := c.Stats(); c.Runs() || st.Taken > 0 || st.Oldest != 0 {
			all = append(all, st)
		}
	}
	return all
}

// Stop ends the node within its bound: cells in their stop order, sockets, the address
// book. The error names what did not end in time.
func (n *Node) Stop() error {
	within := n.Settings.Limits.StopWithin
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := errors.Join(n.Node.Stop(within), n.sockets.Stop(ctx), n.book.Close())
	n.Watch.Stop(within)
	return err
}
