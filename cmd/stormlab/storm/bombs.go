package storm

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Bombs is the storm of small messages that claim to be huge.
var Bombs = Storm{
	Name: "bombs",
	About: "100 connections, half of them before the handshake, send messages of 27 to 156 bytes that claim millions of " +
		"inputs, outputs, witness items, transactions or entries; a decoder that makes room for what is claimed takes " +
		"more than 10 MB for one of them.",
	Base: Base{Blocks: 120},
	Run:  runBombs,
}

const bombers = 50 // before the handshake, and as many after it

func runBombs(ctx context.Context, r *Rig) {
	bombs := makeBombs(r.Node.Net)
	throw := func(conn *p2p.Conn, rng *rand.Rand) {
		for range 20 {
			if conn.SendRaw(bombs[rng.IntN(len(bombs))]) != nil || !wait.Sleep(ctx, 20*time.Millisecond) {
				return
			}
			r.Load.Messages.Add(1)
		}
	}
	crew := crew{r: r}
	connect := func() (*p2p.Conn, error) { return r.Node.Connect(ctx) }
	crew.visit(ctx, bombers, 50*time.Millisecond, connect, throw)
	crew.connected(ctx, bombers, 50*time.Millisecond, "bomber", throw)
	crew.add(1, func(*rand.Rand) { r.Beat(ctx) })
	crew.Wait()
}

// makeBombs makes the messages, with their headers.
func makeBombs(net wire.BitcoinNet) (bombs [][]byte) {
	count := binary.LittleEndian.AppendUint32([]byte{0xfe}, 3_900_000)
	version, input := []byte{1, 0, 0, 0}, make([]byte, 41)
	tx := func(parts ...[]byte) []byte { return slices.Concat(append([][]byte{version}, parts...)...) }
	header := make([]byte, wire.MaxBlockHeaderPayload)
	for _, b := range []struct {
		command string
		payload []byte
	}{
		{wire.CmdTx, tx(count)},
		{wire.CmdTx, tx([]byte{1}, input, count)},
		{wire.CmdTx, tx([]byte{0, 1, 1}, input, []byte{1}, make([]byte, 9), count)},
		{wire.CmdBlock, slices.Concat(header, count)},
		{wire.CmdBlock, slices.Concat(header, []byte{1}, tx([]byte{0, 1, 1}, input, []byte{1}, make([]byte, 9), count))},
		{wire.CmdInv, []byte{0xfd, 0x50, 0xc3}}, // 50,000
		{wire.CmdGetData, []byte{0xfd, 0x50, 0xc3}},
		{wire.CmdHeaders, []byte{0xfd, 0xd0, 0x07}}, // 2,000
		{wire.CmdMerkleBlock, slices.Concat(header, version, count)},
		{wire.CmdVersion, slices.Concat(make([]byte, 80), count)},
	} {
		bombs = append(bombs, p2p.Frame(b.command, b.payload, net))
	}
	return bombs
}
