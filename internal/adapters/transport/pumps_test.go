package transport

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// greedy notes the largest buffer that it was asked to fill.
type greedy struct {
	io.Reader
	most int
}

func (g *greedy) Read(b []byte) (int, error) {
	g.most = max(g.most, len(b))
	return g.Reader.Read(b)
}

// Memory grows with what arrives, not with what a header claims.
func TestClaimedLengthAllocatesNothing(t *testing.T) {
	g := &greedy{Reader: bytes.NewReader(make([]byte, 10))}
	if _, err := readGrowing(g, nil, peer.MaxPayload); err == nil {
		t.Fatal("ten bytes were taken for four million")
	}
	if g.most > chunk {
		t.Errorf("%d bytes were allocated for ten", g.most)
	}
}

func TestReadGrowing(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 5*chunk + 3} {
		want := bytes.Repeat([]byte{1, 2, 3}, n)[:n]
		got, err := readGrowing(bytes.NewReader(want), []byte("head"), n)
		if err != nil || string(got) != "head"+string(want) {
			t.Errorf("%d bytes: %d are read, %v", n, len(got), err)
		}
	}
}

// A queue is cut into chunks without losing or repeating a byte, and payloads are
// not copied on the way.
func TestTakeAndCut(t *testing.T) {
	c := &conn{phase: open}
	var want, have []byte
	var wanted, done peer.Flushed
	for i, n := range []int{0, 1, 100, chunk - 300, 1, 0, chunk, 2*chunk + 5, 3} {
		w := peer.Write{Command: "any", Payload: bytes.Repeat([]byte{byte(i)}, n)}
		c.queue = append(c.queue, w)
		want = append(want, raw(w.Command, w.Payload)...)
		wanted.Bytes += uint64(n)
		wanted.Msgs++
	}
	for batches := 0; ; batches++ {
		msgs, over := c.take()
		if over {
			t.Fatal("an open connection is done")
		}
		if len(msgs) == 0 {
			if batches < 3 {
				t.Errorf("all was taken in %d batches", batches)
			}
			break
		}
		for left := frames(magic, msgs); len(left) > 0; {
			var pieces net.Buffers
			pieces, left = cut(left, &done)
			size := 0
			for _, p := range pieces {
				size += len(p)
				have = append(have, p...)
			}
			if size == 0 || size > chunk || len(left) > 0 && size < chunk {
				t.Errorf("a chunk of %d bytes, before %d messages", size, len(left))
			}
		}
	}
	if !bytes.Equal(have, want) || done != wanted {
		t.Errorf("%d bytes of %d; counted %+v of %+v", len(have), len(want), done, wanted)
	}
	c.phase = draining
	if _, over := c.take(); !over {
		t.Error("a drained connection is not done")
	}
}

func TestPayloadsAreNotCopied(t *testing.T) {
	block := make([]byte, 100)
	pieces, _ := cut(frames(magic, []peer.Write{{Command: "block", Payload: block}}), new(peer.Flushed))
	if len(pieces) != 2 || &pieces[1][0] != &block[0] {
		t.Errorf("%d pieces, or a copy", len(pieces))
	}
}

// FuzzStream: whatever a socket says, the read pump takes it apart into messages
// that are good or bad, accounts for every byte, and comes to an end.
func FuzzStream(f *testing.F) {
	var all []byte
	for _, msg := range []wire.Message{&wire.MsgVersion{}, &wire.MsgWTxIdRelay{}, &wire.MsgVerAck{},
		&wire.MsgGetHeaders{}, &wire.MsgHeaders{}, &wire.MsgInv{}, &wire.MsgAddrV2{}} {
		all = append(all, frameOf(f, msg)...)
	}
	f.Add(all)
	f.Add(append(bulk(100), pingFrame(f, 1)...))
	f.Add(append(pingFrame(f, 1), 1, 2, 3))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e := New(Config{Bounds: DefaultBounds(1), Magic: magic}, adapterID, nil)
		c := &conn{e: e, id: first}
		r, buf, sum := bufio.NewReader(bytes.NewReader(stream)), []byte(nil), 0
		for {
			msg, _, err := c.readMessage(r, &buf)
			if err != nil {
				return
			}
			if (msg.Msg == nil) == (msg.Bad == "") {
				t.Fatalf("neither good nor bad: %+v", msg)
			}
			if sum += headerSize + msg.Bytes; msg.Bytes < 0 || sum > len(stream) {
				t.Fatalf("%d bytes are counted of a message, %d of %d in all", msg.Bytes, sum, len(stream))
			}
		}
	})
}
