package storm

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Handshakes is the storm of connections that stop in mid-handshake.
var Handshakes = Storm{
	Name: "handshakes",
	About: "60 connections that stop in mid-handshake: silent from the start, half a version, no verack, verack " +
		"first, another network's magic, noise; each stays for up to five seconds, and others come and go properly.",
	Base: Base{Blocks: 120},
	Run:  runHandshakes,
}

const halfHandshakes = 60

func runHandshakes(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	connect := func() (*p2p.Conn, error) { return r.Node.Connect(ctx) }
	crew.visit(ctx, halfHandshakes, 20*time.Millisecond, connect, func(conn *p2p.Conn, rng *rand.Rand) {
		stopShort(conn, r.Node.Net, rng)
		r.Load.Messages.Add(1)
		stay := time.Duration(rng.Int64N(int64(5 * time.Second)))
		if rng.IntN(2) == 0 {
			stay /= 100
		}
		wait.Sleep(ctx, stay)
	})
	crew.churn(ctx, 4, 20*time.Millisecond)
	crew.add(1, func(*rand.Rand) { r.Beat(ctx) })
	crew.Wait()
}

// stopShort sends some part of a handshake. The node may end the connection
// meanwhile.
func stopShort(conn *p2p.Conn, net wire.BitcoinNet, rng *rand.Rand) {
	version := encoded(p2p.Version("half", p2p.Services, 0), net)
	switch rng.IntN(6) {
	case 0: // nothing
	case 1:
		conn.SendRaw(version[:1+rng.IntN(len(version)-1)])
	case 2: // no verack
		conn.SendRaw(version)
	case 3:
		conn.SendRaw(encoded(wire.NewMsgVerAck(), net))
	case 4:
		conn.SendRaw(encoded(p2p.Version("stranger", p2p.Services, 0), wire.MainNet))
	case 5:
		noise := make([]byte, 1+rng.IntN(4000))
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		conn.SendRaw(noise)
	}
}

func encoded(msg wire.Message, net wire.BitcoinNet) []byte {
	raw, err := p2p.Encode(msg, net, wire.WitnessEncoding)
	if err != nil {
		panic(err) // a message of ours
	}
	return raw
}
