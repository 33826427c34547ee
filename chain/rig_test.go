package chain

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

const workerID actor.ID = 1

var testBounds = Bounds{Worker: 3, Templates: 1, WorkerTimeout: 10 * time.Minute}

// start puts a chain on the bench that knows the tips.
func start(t *testing.T) (*steptest.Rig, *Machine) {
	t.Helper()
	r, m := startUnknown(t)
	_, ask := steptest.WantAsk[CatchUp](r, "a new chain asks where the engine stands")
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(0)}})
	steptest.Want[Tips](r, "the first tips are published")
	r.WantNothing("nothing else to do")
	return r, m
}

func startUnknown(t *testing.T) (*steptest.Rig, *Machine) {
	t.Helper()
	var ports actor.Ports
	m := New(ConnectPorts(&ports, actor.Ref[Worker](workerID), testBounds), Topics{
		Tips: actor.State[Tips]{ID: 1}, Blocks: actor.Stream[Event]{ID: 2}, Txs: actor.Stream[TxEvent]{ID: 3},
	})
	r := steptest.New(t, m, ports.Specs)
	t.Cleanup(r.RunOut)
	return r, m
}

func pointAt(height int32) Point {
	return Point{Hash: chainhash.Hash{byte(height), byte(height >> 8), 1}, Height: height, Work: WorkFrom64(uint64(height))}
}

func tipsAt(height int32) Tips { return Tips{Block: pointAt(height), Header: pointAt(height)} }

func blockAt(height int32) SubmitBlock {
	return SubmitBlock{Payload: []byte{1}, Hash: pointAt(height).Hash, Source: 77}
}

func connected(height int32) Event { return BlockConnected{Point: pointAt(height), Source: 77} }

// applied is the worker's answer to the block at a height.
func applied(height int32, last uint64, events ...Event) BlockApplied {
	return BlockApplied{
		Verdict: Verdict{Hash: pointAt(height).Hash, InBestChain: true, Tip: pointAt(height)},
		Changes: Changes{Tips: tipsAt(height), Events: events, Last: last},
	}
}

func idAt(n int32) TxID {
	return TxID{TxID: chainhash.Hash{byte(n), byte(n >> 8), 2}, WTxID: chainhash.Hash{byte(n), byte(n >> 8), 3}}
}

func txAt(n int32) SubmitTx {
	return SubmitTx{Tx: &wire.MsgTx{}, ID: idAt(n), Source: 77, Orphan: true}
}

func accepted(n int32) TxEvent { return TxAccepted{Txs: []PoolTx{{ID: idAt(n), Source: 77}}} }

// taken is the worker's answer to a transaction.
func taken(n int32, last uint64, events ...Event) TxApplied {
	return TxApplied{
		Verdict: TxVerdict{ID: idAt(n), Fee: 500, VSize: 100},
		Changes: Changes{Tips: tipsAt(0), Events: events, Last: last},
	}
}

// held counts the questions that wait for the worker or are at it.
func held(m *Machine) int {
	return m.headers.len() + m.blocks.len() + m.templates.len() + m.txs.len() + m.outs.len() + m.priorities.len() + m.saves.len()
}
