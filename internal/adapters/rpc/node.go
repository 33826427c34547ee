package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/sirupsen/logrus"

	"acyclic/chain"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// Node is what the handlers know of the node.
type Node struct {
	Ports   Ports
	Askers  []adapter.Asker // one per handler; each wired with Connect
	Targets Targets

	Params     *chaincfg.Params
	DataDir    string           // of the network: its size is size_on_disk
	PruneBytes uint64           // 0: not pruned
	UserAgent  string           // as in our version message
	Services   wire.ServiceFlag // as in our version message
	Protocol   uint32           // as in our version message
	Version    int              // as Core numbers versions: 10000*major + 100*minor + patch
	Started    time.Time

	MinRelayFee int64 // --minrelaytxfee, in satoshi per 1,000 virtual bytes
	BlocksOnly  bool  // --blocksonly

	// Stop asks the node to stop. It must not wait.
	Stop func()
	// Cells lists the cells for getmailboxes.
	Cells func() []cell.Stats
	// Watch knows what is stuck, for /ready and getwaitgraph.
	Watch Watch
	// Metrics serves /metrics. It may be nil.
	Metrics http.Handler
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Watch is the watchdog, as far as the handlers use it. Its methods do not wait.
type Watch interface {
	Stuck() []watch.Stall
	Report() watch.Report
}

// Targets are what handlers ask.
type Targets struct {
	Chain   actor.Ref[chain.Chain]
	Readers actor.Ref[chain.Readers]
	Netsync actor.Ref[netsync.Netsync]
	Relay   actor.Ref[relay.Relay]
	Server  actor.Ref[server.Server]
}

// Ports are the questions of one handler.
type Ports struct {
	Tips   actor.Port[chain.GetTips, chain.Tips]
	Hash   actor.Port[chain.GetHash, chain.HashAt]
	Header actor.Port[chain.GetHeader, chain.HeaderInfo]
	Block  actor.Port[chain.GetBlock, chain.Block]

	Submit   actor.Port[chain.SubmitBlock, chain.Verdict]
	Template actor.Port[chain.GetTemplate, chain.Template]

	SubmitTx   actor.Port[chain.SubmitTx, chain.TxVerdict]
	TxOut      actor.Port[chain.GetTxOut, chain.TxOut]
	Prioritise actor.Port[chain.Prioritise, chain.Prioritised]
	SavePool   actor.Port[chain.SavePool, chain.PoolSaved]
	Pool       actor.Port[chain.GetPool, chain.Pool]
	PoolTx     actor.Port[chain.GetPoolTx, chain.PooledTx]
	PoolInfo   actor.Port[chain.GetPoolInfo, chain.PoolInfo]
	Entries    actor.Port[chain.GetPoolEntries, chain.PoolEntries]
	Spenders   actor.Port[chain.GetSpenders, chain.Spenders]

	Connections  actor.Port[server.GetPeers, server.Peers]
	AddNode      actor.Port[server.AddNode, server.Done]
	Disconnect   actor.Port[server.DisconnectNode, server.Done]
	ServerStatus actor.Port[server.GetStatus, server.Status]

	SyncStatus  actor.Port[netsync.GetStatus, netsync.Status]
	SyncPeers   actor.Port[netsync.GetPeers, netsync.Peers]
	RelayStatus actor.Port[relay.GetStatus, relay.Status]
	RelayPeers  actor.Port[relay.GetPeers, relay.Peers]
	Unbroadcast actor.Port[relay.GetUnbroadcast, relay.Unbroadcast]

	PeerInfo actor.PortOf[peer.GetInfo, peer.Info, peer.Peer]
}

// Connect adds the ports of one handler to p. All handlers are wired alike, so
// that they share one Ports.
func Connect(p *actor.Ports, to Targets, w Windows) Ports {
	return Ports{
		Tips:         actor.Connect[chain.GetTips](p, "rpc.tips", to.Chain, w.Kind, w.ReadTimeout),
		Hash:         actor.Connect[chain.GetHash](p, "rpc.hash", to.Readers, w.Kind, w.ReadTimeout),
		Header:       actor.Connect[chain.GetHeader](p, "rpc.header", to.Readers, w.Kind, w.ReadTimeout),
		Block:        actor.Connect[chain.GetBlock](p, "rpc.block", to.Readers, w.Kind, w.ReadTimeout),
		Submit:       actor.Connect[chain.SubmitBlock](p, "rpc.submitblock", to.Chain, w.Kind, w.SubmitTimeout),
		Template:     actor.Connect[chain.GetTemplate](p, "rpc.template", to.Chain, w.Kind, w.ReadTimeout),
		SubmitTx:     actor.Connect[chain.SubmitTx](p, "rpc.submittx", to.Chain, w.Kind, w.SubmitTimeout),
		TxOut:        actor.Connect[chain.GetTxOut](p, "rpc.txout", to.Chain, w.Kind, w.ReadTimeout),
		Prioritise:   actor.Connect[chain.Prioritise](p, "rpc.prioritise", to.Chain, w.Kind, w.ReadTimeout),
		SavePool:     actor.Connect[chain.SavePool](p, "rpc.savepool", to.Chain, w.Kind, w.SubmitTimeout),
		Pool:         actor.Connect[chain.GetPool](p, "rpc.pool", to.Readers, w.Kind, w.ReadTimeout),
		PoolTx:       actor.Connect[chain.GetPoolTx](p, "rpc.pooltx", to.Readers, w.Kind, w.ReadTimeout),
		PoolInfo:     actor.Connect[chain.GetPoolInfo](p, "rpc.poolinfo", to.Readers, w.Kind, w.ReadTimeout),
		Entries:      actor.Connect[chain.GetPoolEntries](p, "rpc.poolentries", to.Readers, w.Kind, w.ReadTimeout),
		Spenders:     actor.Connect[chain.GetSpenders](p, "rpc.spenders", to.Readers, w.Kind, w.ReadTimeout),
		Connections:  actor.Connect[server.GetPeers](p, "rpc.connections", to.Server, w.Kind, w.ReadTimeout),
		AddNode:      actor.Connect[server.AddNode](p, "rpc.addnode", to.Server, w.Kind, w.ReadTimeout),
		Disconnect:   actor.Connect[server.DisconnectNode](p, "rpc.disconnectnode", to.Server, w.Kind, w.ReadTimeout),
		ServerStatus: actor.Connect[server.GetStatus](p, "rpc.serverstatus", to.Server, w.Kind, w.ReadTimeout),
		SyncStatus:   actor.Connect[netsync.GetStatus](p, "rpc.syncstatus", to.Netsync, w.Kind, w.ReadTimeout),
		SyncPeers:    actor.Connect[netsync.GetPeers](p, "rpc.syncpeers", to.Netsync, w.Kind, w.ReadTimeout),
		RelayStatus:  actor.Connect[relay.GetStatus](p, "rpc.relaystatus", to.Relay, w.Kind, w.ReadTimeout),
		RelayPeers:   actor.Connect[relay.GetPeers](p, "rpc.relaypeers", to.Relay, w.Kind, w.ReadTimeout),
		Unbroadcast:  actor.Connect[relay.GetUnbroadcast](p, "rpc.unbroadcast", to.Relay, w.Kind, w.ReadTimeout),
		PeerInfo:     actor.ConnectOf[peer.GetInfo](p, "rpc.peerinfo", w.Peer, w.PeerTimeout),
	}
}

// call is one command being carried out: the node and the handler's asker.
type call struct {
	*Node
	ctx   context.Context
	asker adapter.Asker
	size  *dirSize
	polls chan struct{}
	log   *logrus.Entry
}

func (c *call) now() time.Time {
	if c.Node.Now != nil {
		return c.Node.Now()
	}
	return time.Now()
}

// ask asks p's target on behalf of c. A question that ends without a value
// becomes an error that names the component that did not answer.
func ask[Q actor.Question[A, T], A, T any](c *call, p actor.Port[Q, A], q Q) (A, error) {
	a, err := adapter.Ask(c.ctx, c.asker, p, q)
	if err != nil {
		return a, noAnswer(q, p.Timeout, err)
	}
	return a, nil
}

// noAnswer words how a question ended. The question's type names its target, as in
// chain.GetTips.
func noAnswer(q any, timeout time.Duration, err error) error {
	name := fmt.Sprintf("%T", q)
	target, _, _ := strings.Cut(name, ".")
	switch {
	case errors.Is(err, actor.ErrTimeout):
		return fail(codeMisc, "no answer from %s within %v (%s): it is busy, try again", target, timeout, name)
	case errors.Is(err, actor.ErrGone):
		return fail(codeMisc, "%s is restarting or stopping (%s): try again", target, name)
	case errors.Is(err, actor.ErrBusy):
		return fail(codeMisc, "%s still works on an earlier question (%s): try again", target, name)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fail(codeMisc, "the request was given up before %s answered (%s)", target, name)
	}
	return fail(codeInternal, "%s: %v", name, err)
}
