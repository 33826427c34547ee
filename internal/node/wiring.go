package node

import (
	"math/rand/v2"

	"acyclic/chain"
	"acyclic/internal/adapters/rpc"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// The cells and adapters of a node. Peer cells are children of Server.
const (
	Server actor.ID = iota + 1
	Netsync
	Chain
	Relay
	EngineWorker  // adapter: the only one that changes the chain
	EngineReaders // adapter: reads beside it
	Transport     // adapter: sockets
	Book          // adapter: btcd's address manager
	Resolver      // adapter: name servers
	Display       // adapter: hears how far the node is
	Loader        // adapter: submits the transactions of mempool.dat
	firstDynamic  // listeners' and RPC handlers' askers follow
)

// The topics.
const (
	PeerLifecycle actor.TopicID = iota + 1
	PeerToSync
	PeerToRelay
	PeerToServer
	ChainTips
	ChainBlocks
	ChainTxs
	SyncStatus
	ServerStatus
)

// The stop order: first the server, which lets connections in, then the connections, then
// the components that work for them, then the chain.
const (
	stopServer = iota
	stopPeers
	stopWorkers
	stopChain
)

// The cells and adapters as targets of questions.
const (
	ToServer  = actor.Ref[server.Server](Server)
	ToNetsync = actor.Ref[netsync.Netsync](Netsync)
	ToChain   = actor.Ref[chain.Chain](Chain)
	ToRelay   = actor.Ref[relay.Relay](Relay)
	ToWorker  = actor.Ref[chain.Worker](EngineWorker)
	ToReaders = actor.Ref[chain.Readers](EngineReaders)
	ToSockets = actor.Ref[server.Sockets](Transport)
	ToBook    = actor.Ref[server.Keeper](Book)
	ToNames   = actor.Ref[server.Names](Resolver)
)

// What the transport gives to a connection's cell beside its traffic.
const (
	brokenOnce    = 1 // in the control lane: peer.Broken
	flushedLatest = 1 // in the events lane: the latest peer.Flushed
)

// Settings are what the wiring needs to know.
type Settings struct {
	Limits    Limits
	Peer      peer.Config   // with the limits' bounds
	Server    server.Config // with the limits' bounds
	Listeners int           // how many addresses are listened on
	// Seed is the source of all chance. It is a secret in the live node.
	Seed [2]uint64
}

// Adapters are the parts that may wait. The simulator has machines for them.
type Adapters struct{ Worker, Readers, Transport, Book, Resolver cell.Adapter }

// Wire is the node as a table: every cell, every port with its window, every subscription.
// Components meet in no other way.
func Wire(s Settings, e Adapters) *cell.Plan {
	var (
		l, w   = s.Limits, s.Limits.Windows
		peers  = peer.Topics{Lifecycle: actor.Ledger[peer.Ready, peer.Gone]{ID: PeerLifecycle}, Sync: actor.Traffic[peer.ForSync]{ID: PeerToSync}, Relay: actor.Traffic[peer.ForRelay]{ID: PeerToRelay}, Server: actor.Traffic[peer.ForServer]{ID: PeerToServer}}
		chains = chain.Topics{Tips: actor.State[chain.Tips]{ID: ChainTips}, Blocks: actor.Stream[chain.Event]{ID: ChainBlocks}, Txs: actor.Stream[chain.TxEvent]{ID: ChainTxs}}
		syncs  = netsync.Topics{Status: actor.State[netsync.Status]{ID: SyncStatus}}
		srv    = server.Topics{Status: actor.State[server.Status]{ID: ServerStatus}}
	)
	chance := func(id actor.ID, generation uint32) *rand.Rand {
		return rand.New(rand.NewPCG(s.Seed[0]^uint64(id), s.Seed[1]^uint64(generation)))
	}

	var cp actor.Ports
	chainPorts := chain.ConnectPorts(&cp, ToWorker, l.Chain)

	var np actor.Ports
	syncPorts := netsync.Ports{
		Headers: actor.Connect[chain.SubmitHeaders](&np, "netsync.headers", ToChain, w.SyncHeaders, w.Submit),
		Block:   actor.Connect[chain.SubmitBlock](&np, "netsync.block", ToChain, w.SyncBlocks, w.Submit),
		Locator: actor.Connect[chain.GetLocator](&np, "netsync.locator", ToReaders, w.SyncLocators, w.Read),
		Path:    actor.Connect[chain.GetPath](&np, "netsync.path", ToReaders, w.SyncPaths, w.Read),
		Forks:   actor.Connect[chain.GetForks](&np, "netsync.forks", ToReaders, w.SyncForks, w.Read),
		Send:    actor.ConnectOf[peer.Send](&np, "netsync.send", 2*l.Seats, w.ToPeer),
	}

	var rp actor.Ports
	relayPorts := relay.Ports{
		Headers: actor.Connect[chain.GetHeaders](&rp, "relay.headers", ToReaders, l.Relay.MaxReads, w.Read),
		Hashes:  actor.Connect[chain.GetHashes](&rp, "relay.hashes", ToReaders, l.Relay.MaxReads, w.Read),
		Block:   actor.Connect[chain.GetBlock](&rp, "relay.block", ToReaders, l.Relay.MaxReads, w.Read),
		Tips:    actor.Connect[chain.GetTips](&rp, "relay.tips", ToChain, 1, w.Read),

		Tx:       actor.Connect[chain.SubmitTx](&rp, "relay.tx", ToChain, w.RelayTxs, w.Submit),
		PoolTxs:  actor.Connect[chain.GetPoolTxs](&rp, "relay.pooltxs", ToReaders, l.Relay.MaxReads, w.Read),
		Pool:     actor.Connect[chain.GetPool](&rp, "relay.pool", ToReaders, 1, w.Read),
		PoolInfo: actor.Connect[chain.GetPoolInfo](&rp, "relay.poolinfo", ToReaders, 1, w.Read),

		Send: actor.ConnectOf[peer.Send](&rp, "relay.send", l.Seats, w.RelaySend),
	}

	var sp actor.Ports
	serverPorts := server.Ports{
		Transport: Transport,
		Dial:      actor.Connect[server.Dial](&sp, "server.dial", ToSockets, l.Dials, w.Dial),
		Pick:      actor.Connect[server.Pick](&sp, "server.pick", ToBook, w.BookPicks, w.Adapter),
		Sample:    actor.Connect[server.Sample](&sp, "server.sample", ToBook, w.BookSamples, w.Adapter),
		Note:      actor.Connect[server.Note](&sp, "server.note", ToBook, w.BookNotes, w.Adapter),
		Resolve:   actor.Connect[server.Resolve](&sp, "server.resolve", ToNames, l.Resolvers, w.Resolve),
		Send:      actor.ConnectOf[peer.Send](&sp, "server.send", l.Seats, w.ToPeer),
	}

	plan := &cell.Plan{
		Deaths: l.Deaths,
		Cells: []cell.Static{
			{ID: Server, Name: "server", Stop: stopServer, Ports: sp.Specs, Build: func(gen uint32) actor.Machine {
				return server.New(s.Server, serverPorts, srv, chance(Server, gen))
			}},
			{ID: Netsync, Name: "netsync", Stop: stopWorkers, Ports: np.Specs, Build: func(gen uint32) actor.Machine {
				return netsync.New(l.Netsync, syncPorts, syncs, chance(Netsync, gen))
			}},
			{ID: Relay, Name: "relay", Stop: stopWorkers, Ports: rp.Specs, Build: func(gen uint32) actor.Machine {
				return relay.New(relay.Config{Bounds: l.Relay, BlocksOnly: !s.Peer.WantTxs}, relayPorts, chains, chance(Relay, gen))
			}},
			{ID: Chain, Name: "chain", Stop: stopChain, Ports: cp.Specs, Build: func(uint32) actor.Machine {
				return chain.New(chainPorts, chains)
			}},
		},
		Kinds: []cell.Kind{{
			Kind:   bus.Kind{ID: server.KindPeer, Name: "peer", Seats: l.Seats},
			Parent: Server, Control: brokenOnce, Latest: flushedLatest, Stop: stopPeers, Questions: l.PeerQuestions, Credit: l.Credit,
			Build: func(id actor.ID, arg any) actor.Machine {
				return peer.New(id, arg.(peer.Arg), s.Peer, peer.Ports{Adapter: Transport}, peers, chance(id, 0))
			},
		}},
		Topics: []bus.Topic{
			{ID: PeerLifecycle, Name: "peer.lifecycle", Kind: actor.LedgerTopic, Subs: []actor.ID{Server, Netsync, Relay}, Closed: peer.Crashed},
			{ID: PeerToSync, Name: "peer.sync", Kind: actor.TrafficTopic, Subs: []actor.ID{Netsync}},
			{ID: PeerToRelay, Name: "peer.relay", Kind: actor.TrafficTopic, Subs: []actor.ID{Relay}},
			{ID: PeerToServer, Name: "peer.server", Kind: actor.TrafficTopic, Subs: []actor.ID{Server}},
			{ID: ChainTips, Name: "chain.tips", Kind: actor.StateTopic, Subs: []actor.ID{Netsync, Relay, Server}},
			{ID: ChainBlocks, Name: "chain.blocks", Kind: actor.StreamTopic, Subs: []actor.ID{Relay}, Cap: l.BlockEvents},
			{ID: ChainTxs, Name: "chain.txs", Kind: actor.StreamTopic, Subs: []actor.ID{Relay}, Cap: l.TxEvents},
			{ID: SyncStatus, Name: "netsync.status", Kind: actor.StateTopic, Subs: []actor.ID{Display}},
			{ID: ServerStatus, Name: "server.status", Kind: actor.StateTopic, Subs: []actor.ID{Display}},
		},
		Adapters:    []cell.Adapter{e.Worker, e.Readers, e.Transport, e.Book, e.Resolver},
		Subscribers: []cell.Subscriber{{ID: Display, Name: "display"}},
	}
	plan.Askers = askers(s)
	return plan
}

// askers are the adapters that ask cells: each listener, each RPC handler, the loader.
func askers(s Settings) []cell.Asker {
	var all []cell.Asker
	for i := range s.Listeners {
		var p actor.Ports
		ConnectTransport(&p, s.Limits)
		all = append(all, cell.Asker{ID: ListenerID(i), Name: "listener", Ports: p.Specs})
	}
	for i := range s.Limits.RPCHandlers {
		var p actor.Ports
		rpc.Connect(&p, Targets, s.Limits.RPC)
		all = append(all, cell.Asker{ID: HandlerID(s, i), Name: "rpc", Ports: p.Specs})
	}
	var p actor.Ports
	ConnectLoader(&p, s.Limits)
	all = append(all, cell.Asker{ID: Loader, Name: "loader", Ports: p.Specs})
	return all
}

// Targets are what the RPC handlers ask.
var Targets = rpc.Targets{Chain: ToChain, Readers: ToReaders, Netsync: ToNetsync, Relay: ToRelay, Server: ToServer}

// ListenerID is the asker of the i-th listener, HandlerID that of the i-th RPC
// handler.
func ListenerID(i int) actor.ID { return firstDynamic + actor.ID(i) }

// HandlerID: see ListenerID.
func HandlerID(s Settings, i int) actor.ID { return firstDynamic + actor.ID(s.Listeners+i) }

// TransportPorts are what the transport asks for each connection that comes in:
// whether it may stay. In the live node each listener asks, in the simulator the
// network itself.
type TransportPorts struct {
	Admit actor.Port[server.Admit, server.Admitted]
}

// ConnectTransport connects the transport.
func ConnectTransport(p *actor.Ports, l Limits) TransportPorts {
	return TransportPorts{Admit: actor.Connect[server.Admit](p, "transport.admit", ToServer, 1, l.Windows.Admit)}
}

// LoaderPorts are what the loader of mempool.dat asks.
type LoaderPorts struct {
	Submit     actor.Port[chain.SubmitTx, chain.TxVerdict]
	Prioritise actor.Port[chain.Prioritise, chain.Prioritised]
}

// ConnectLoader connects the loader. It asks one question at a time.
func ConnectLoader(p *actor.Ports, l Limits) LoaderPorts {
	return LoaderPorts{
		Submit:     actor.Connect[chain.SubmitTx](p, "loader.submit", ToChain, 1, l.Windows.Submit),
		Prioritise: actor.Connect[chain.Prioritise](p, "loader.prioritise", ToChain, 1, l.Windows.Submit),
	}
}
