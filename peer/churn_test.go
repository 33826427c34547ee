package peer

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// TestAConnectionThatLastsCostsNoMore: blocks are asked for and come, or do not
// come, Sends wait for a peer that reads slowly, and it pings meanwhile.
func TestAConnectionThatLastsCostsNoMore(t *testing.T) {
	b := readyBench(t, false, testConfig())
	b.Churn(func(i int) {
		get := wire.NewMsgGetData()
		for n := range 3 {
			h := aBlock(uint32(3*i + n)).BlockHash()
			get.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &h))
		}
		b.Ask(Send{Msgs: []wire.Message{get, &wire.MsgGetHeaders{}}, Payloads: [][]byte{make([]byte, 1200)}})
		b.Ask(Send{Msgs: []wire.Message{wire.NewMsgGetAddr()}}) // it waits
		b.receive(&wire.MsgPing{Nonce: 1})
		b.receive(aBlock(uint32(3 * i)))
		b.receive(&wire.MsgHeaders{})
		lacks := wire.NewMsgNotFound()
		for _, iv := range get.InvList[1:] {
			lacks.AddInvVect(iv)
		}
		b.receive(lacks)
		b.receive(&wire.MsgPong{Nonce: b.m.pingNonce})
		b.flushAll()
		b.Advance(30 * time.Second)
	}, map[string]string{
		"figures.sentByCommand": "one for each command of ours",
		"figures.recvByCommand": "one for each command that is known, and one for all others",
	})
	if b.m.state != ready {
		t.Fatal("the connection did not last")
	}
}
