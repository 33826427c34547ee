package transport

import (
	"bufio"
	"bytes"
	"io"
	"testing"
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
	if _, err := readGrowing(g, nil, MaxPayload); err == nil {
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

// take cuts the queue into chunks without losing or repeating a byte.
func TestTakeCutsIntoChunks(t *testing.T) {
	c := &conn{phase: open}
	var want []byte
	sizes := []int{1, 100, chunk - 101, 1, chunk, 2*chunk + 5, 3}
	for i, n := range sizes {
		frame := bytes.Repeat([]byte{byte(i)}, n)
		want = append(want, frame...)
		c.queue = append(c.queue, frame)
	}
	var have []byte
	var msgs uint64
	for {
		pieces, size, n, done := c.take()
		if done {
			t.Fatal("an open connection is done")
		}
		if size == 0 {
			break
		}
		if size > chunk {
			t.Errorf("a chunk of %d bytes", size)
		}
		for _, p := range pieces {
			have = append(have, p...)
		}
		msgs += n
	}
	if !bytes.Equal(have, want) || msgs != uint64(len(sizes)) {
		t.Errorf("%d bytes of %d, %d messages", len(have), len(want), msgs)
	}
	c.phase = draining
	if _, _, _, done := c.take(); !done {
		t.Error("a drained connection is not done")
	}
}

// FuzzStream: whatever a socket says, the read pump takes it apart into messages
// that are good or bad, accounts for every byte, and comes to an end.
func FuzzStream(f *testing.F) {
	var all []byte
	for _, msg := range examples(f)[:12] {
		all = append(all, mustEncode(f, msg)...)
	}
	f.Add(all)
	f.Add(append(bulk(f, 100), pingFrame(f, 1)...))
	f.Add(append(pingFrame(f, 1), 1, 2, 3))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e := New(Config{Bounds: DefaultBounds(1), Magic: magic}, adapterID, nil)
		c := &conn{e: e, id: first}
		r, buf, sum := bufio.NewReader(bytes.NewReader(stream)), make([]byte, 0, HeaderSize), 0
		for {
			msg, _, err := c.readMessage(r, &buf)
			if err != nil {
				return
			}
			if (msg.Msg == nil) == (msg.Bad == "") {
				t.Fatalf("neither good nor bad: %+v", msg)
			}
			if sum += msg.Bytes; msg.Bytes < HeaderSize || sum > len(stream) {
				t.Fatalf("%d bytes are charged for a message, %d of %d in all", msg.Bytes, sum, len(stream))
			}
		}
	})
}
