package explore

import (
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// rpcQuestions are what somebody may ask by RPC, and what an asker is given when there is
// no answer. A question to 0 goes to the first remote peer's cell.
var rpcQuestions = map[string]struct {
	to      actor.ID
	q, none any
}{
	"the tips":            {node.Chain, chain.GetTips{}, chain.Tips{}},
	"a template":          {node.Chain, chain.GetTemplate{}, chain.Template{}},
	"a transaction":       {node.Chain, chain.SubmitTx{ID: txNames[0]}, chain.TxVerdict{}},
	"another transaction": {node.Chain, chain.SubmitTx{ID: txNames[1]}, chain.TxVerdict{}},
	"a priority":          {node.Chain, chain.Prioritise{TxID: txNames[0].TxID, Delta: 1}, chain.Prioritised{}},
	"an output":           {node.Chain, chain.GetTxOut{}, chain.TxOut{}},
	"the file":            {node.Chain, chain.SavePool{}, chain.PoolSaved{}},
	"netsync's status":    {node.Netsync, netsync.GetStatus{}, netsync.Status{}},
	"what is synced":      {node.Netsync, netsync.GetPeers{}, netsync.Peers{}},
	"what relay knows":    {node.Relay, relay.GetPeers{}, relay.Peers{}},
	"relay's status":      {node.Relay, relay.GetStatus{}, relay.Status{}},
	"the connections":     {node.Server, server.GetPeers{}, server.Peers{}},
	"server's status":     {node.Server, server.GetStatus{}, server.Status{}},
	"a disconnection":     {node.Server, server.DisconnectNode{Addr: address(0).String()}, server.Done{}},
	"a node added":        {node.Server, server.AddNode{Command: "add", Addr: "somewhere"}, server.Done{}},
	"a node once":         {node.Server, server.AddNode{Command: "onetry", Addr: "somewhere"}, server.Done{}},
	"a node removed":      {node.Server, server.AddNode{Command: "remove", Addr: "somewhere"}, server.Done{}},
	"a peer's figures":    {0, peer.GetInfo{}, peer.Info{}},
}

var rpcNames = func() (names []string) {
	for name := range rpcQuestions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}()

// rpcID is the asker of one kind of question.
func rpcID(name string) actor.ID { return firstRPC + actor.ID(slices.Index(rpcNames, name)) }

// rpcTarget is what is asked next; zero: it is not there.
func (o *outsideWorld) rpcTarget() actor.ID {
	if to := rpcQuestions[o.RPC[0]].to; to != 0 {
		return to
	}
	if r := &o.Conns[0]; r.State == bound || r.State == shaken {
		return r.Peer
	}
	return 0
}

// askers have a slot each.
func askers(names []string, timeout time.Duration) (all []cell.Asker) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		q := rpcQuestions[name]
		all = append(all, cell.Asker{ID: rpcID(name), Name: "rpc", Ports: []actor.PortSpec{
			{Name: "rpc." + name, To: q.to, Window: 1, Timeout: timeout},
		}})
	}
	return all
}

// verdict and submit are for the miner.
func (wiring) verdict() any { return chain.Verdict{} }

func (wiring) submit(b *peer.MsgBlock) any {
	return chain.SubmitBlock{Payload: b.Payload, Hash: b.Header.BlockHash()}
}
