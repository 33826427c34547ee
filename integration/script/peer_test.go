package script

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"acyclic/integration/chaingen"
	"acyclic/integration/p2p"
)

const testNet = wire.TestNet // regtest

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var blocks = chaingen.New(chaingen.NewWallet("script"),
	chaingen.Options{Seed: 1, Start: time.Unix(1_700_000_000, 0), Spends: 1}).Mine(130)

// client is a node that a test plays by hand.
type client struct {
	t      *testing.T
	socket net.Conn
	r      *bufio.Reader
	claim  int32 // the height in the peer's version
}

// connect starts a peer and does the handshake with it.
func connect(t *testing.T, b Behaviour) (*Peer, *client) {
	t.Helper()
	p := New(Config{Net: testNet, Chain: Blocks(blocks.Blocks(0)), Name: "test", Behaviour: b})
	t.Cleanup(p.Close)
	addr, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	socket.SetDeadline(time.Now().Add(30 * time.Second)) // bounds a hung test
	c := &client{t: t, socket: socket, r: bufio.NewReader(socket)}
	c.send(p2p.Version("client", 0, 0))
	version, err := p2p.Decode(c.want("version"), &wire.MsgVersion{})
	if err != nil {
		t.Fatal(err)
	}
	c.claim = version.LastBlock
	c.want("verack")
	c.send(wire.NewMsgVerAck())
	return p, c
}

func (c *client) send(msg wire.Message) {
	c.t.Helper()
	if err := wire.WriteMessage(c.socket, msg, wire.ProtocolVersion, testNet); err != nil {
		c.t.Fatal(err)
	}
}

// want reads the next message. It must have the command.
func (c *client) want(command string) []byte {
	c.t.Helper()
	got, payload, err := p2p.Read(c.r, testNet)
	if err != nil || got != command {
		c.t.Fatalf("got %q (%v), want %s", got, err, command)
	}
	return payload
}

func (c *client) wantEOF() {
	c.t.Helper()
	if command, _, err := p2p.Read(c.r, testNet); err == nil {
		c.t.Fatalf("got %s, want the end of the connection", command)
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		c.t.Fatal("the connection was not closed")
	}
}

func (c *client) getHeaders(locator ...chainhash.Hash) []*wire.BlockHeader {
	c.t.Helper()
	msg := wire.NewMsgGetHeaders()
	for i := range locator {
		msg.AddBlockLocatorHash(&locator[i])
	}
	c.send(msg)
	got, err := p2p.Decode(c.want("headers"), &wire.MsgHeaders{})
	if err != nil {
		c.t.Fatal(err)
	}
	return got.Headers
}

func (c *client) getData(heights ...int32) {
	c.t.Helper()
	msg := wire.NewMsgGetData()
	for _, height := range heights {
		hash := blocks.Block(height).BlockHash()
		msg.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &hash))
	}
	c.send(msg)
}

func (c *client) wantBlock() chainhash.Hash {
	c.t.Helper()
	got, err := p2p.Decode(c.want("block"), &wire.MsgBlock{})
	if err != nil {
		c.t.Fatal(err)
	}
	return got.BlockHash()
}

// settled checks that the peer has handled everything before, and still
// answers.
func (c *client) settled() {
	c.t.Helper()
	c.send(wire.NewMsgPing(7))
	c.want("pong")
}

func TestHonest(t *testing.T) {
	p, c := connect(t, Behaviour{})
	if c.claim != 130 {
		t.Errorf("says that it has %d blocks, want 130", c.claim)
	}
	genesis, unknown := blocks.Block(0).BlockHash(), chainhash.Hash{1}

	if got := c.getHeaders(unknown, genesis); len(got) != 130 || got[129].BlockHash() != blocks.Tip() {
		t.Errorf("%d headers, want all 130", len(got))
	}
	if got := c.getHeaders(blocks.Block(100).BlockHash()); len(got) != 30 || got[0].PrevBlock != blocks.Block(100).BlockHash() {
		t.Errorf("%d headers after 100, want 30", len(got))
	}
	if got := c.getHeaders(blocks.Tip()); len(got) != 0 {
		t.Errorf("%d headers after the tip, want none", len(got))
	}
	c.getData(3, 130, 1)
	for _, height := range []int32{3, 130, 1} {
		if got, want := c.wantBlock(), blocks.Block(height).BlockHash(); got != want {
			t.Errorf("block %v, want %v", got, want)
		}
	}
	c.settled()
	if s := p.Stats(); s.Blocks != 3 || s.Headers != 160 || s.Ready != 1 || s.Received["getheaders"] != 3 {
		t.Errorf("the figures are wrong: %v", s)
	}
}

func TestSwitchIsAnnounced(t *testing.T) {
	branch := blocks.Fork(125, 1).Mine(10)
	p, c := connect(t, Behaviour{})
	c.settled()
	p.Switch(Blocks(branch.Blocks(0)))
	if got, err := p2p.Decode(c.want("inv"), &wire.MsgInv{}); err != nil || got.InvList[0].Hash != branch.Tip() {
		t.Errorf("an inv of %v, %v; want the new tip", got.InvList, err)
	}

	c.send(wire.NewMsgSendHeaders())
	c.settled()
	p.Switch(Blocks(blocks.Blocks(0)))
	if got, err := p2p.Decode(c.want("headers"), &wire.MsgHeaders{}); err != nil || len(got.Headers) != 5 ||
		got.Headers[0].PrevBlock != blocks.Block(125).BlockHash() {
		t.Errorf("announced %d headers, %v; want the five after the fork", len(got.Headers), err)
	}
}

// TestMoreThanOneAnswerToGetBlocks: the inv of the tip follows the last block
// of a full answer. It tells the other side that there are more blocks.
func TestMoreThanOneAnswerToGetBlocks(t *testing.T) {
	long := chaingen.New(chaingen.NewWallet("script"), chaingen.Options{Seed: 1}).Mine(wire.MaxBlocksPerMsg + 20)
	p, c := connect(t, Behaviour{})
	c.settled() // the connection is ready: it hears of the switch
	p.Switch(Blocks(long.Blocks(0)))
	wantInv := func(n int, last chainhash.Hash) {
		t.Helper()
		msg, err := p2p.Decode(c.want("inv"), &wire.MsgInv{})
		if err != nil || len(msg.InvList) != n || msg.InvList[n-1].Hash != last {
			t.Fatalf("%v: %d items", err, len(msg.InvList))
		}
	}
	wantInv(1, long.Tip())
	for _, have := range []int32{0, 10} {
		last := long.Block(have + wire.MaxBlocksPerMsg).BlockHash()
		ask := wire.NewMsgGetBlocks(&chainhash.Hash{})
		hash := long.Block(have).BlockHash()
		ask.AddBlockLocatorHash(&hash)
		c.send(ask)
		wantInv(wire.MaxBlocksPerMsg, last)
		get := wire.NewMsgGetData()
		get.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &last))
		c.send(get)
		if got := c.wantBlock(); got != last {
			t.Fatalf("got block %v", got)
		}
		wantInv(1, long.Tip())
	}
}

func TestUnkindness(t *testing.T) {
	other := blocks.Block(2)
	cases := []struct {
		name string
		b    Behaviour
		f    func(*testing.T, *Peer, *client)
	}{
		{"dies in the middle of its third block", Behaviour{DieAt: 3}, func(t *testing.T, p *Peer, c *client) {
			c.getData(1, 2, 3, 4)
			c.wantBlock()
			c.wantBlock()
			if n, err := io.Copy(io.Discard, c.r); n == 0 || err != nil {
				t.Errorf("after two blocks %d bytes, %v; want half of the third", n, err)
			}
		}},
		{"leaves after two messages", Behaviour{Leave: 2}, func(t *testing.T, p *Peer, c *client) {
			c.settled()
			c.send(wire.NewMsgPing(1))
			c.wantEOF()
		}},
		{"lies about its height", Behaviour{Claim: 1_000_000}, func(t *testing.T, p *Peer, c *client) {
			if c.claim != 1_000_000 {
				t.Errorf("says that it has %d blocks", c.claim)
			}
		}},
		{"has empty headers", Behaviour{EmptyHeaders: true}, func(t *testing.T, p *Peer, c *client) {
			if got := c.getHeaders(); len(got) != 0 {
				t.Errorf("%d headers", len(got))
			}
		}},
		{"has headers that do not connect", Behaviour{Unconnecting: true}, func(t *testing.T, p *Peer, c *client) {
			if got := c.getHeaders(); len(got) != 129 || got[0].BlockHash() != blocks.Block(2).BlockHash() {
				t.Errorf("%d headers", len(got))
			}
		}},
		{"sends another block", Behaviour{Replace: map[chainhash.Hash]*wire.MsgBlock{blocks.Block(1).BlockHash(): other}},
			func(t *testing.T, p *Peer, c *client) {
				c.getData(1)
				if c.wantBlock() != other.BlockHash() {
					t.Error("sent the block that was asked for")
				}
			}},
		{"finds nothing", Behaviour{NotFound: true}, func(t *testing.T, p *Peer, c *client) {
			c.getData(1, 2)
			if got, err := p2p.Decode(c.want("notfound"), &wire.MsgNotFound{}); err != nil || len(got.InvList) != 2 {
				t.Errorf("%v, %v", got, err)
			}
		}},
		{"asks for more than it has", Behaviour{Ask: 50_200}, func(t *testing.T, p *Peer, c *client) {
			for _, want := range []int{50_000, 200} {
				if got, err := p2p.Decode(c.want("getdata"), &wire.MsgGetData{}); err != nil || len(got.InvList) != want {
					t.Errorf("%d items, %v; want %d", len(got.InvList), err, want)
				}
			}
		}},
		{"is slow, but comes", Behaviour{Latency: time.Millisecond, BytesPerSecond: 1 << 20}, func(t *testing.T, p *Peer, c *client) {
			c.getData(1)
			c.wantBlock()
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p, c := connect(t, tc.b)
			tc.f(t, p, c)
		})
	}
}

func TestSilentAndDeaf(t *testing.T) {
	p, c := connect(t, Behaviour{Silent: true})
	c.send(wire.NewMsgPing(1))
	c.send(wire.NewMsgGetHeaders())
	c.socket.(*net.TCPConn).CloseWrite() // the peer reads both messages, then the end
	c.wantEOF()                          // no answer comes before it
	if p.Stats().Received["getheaders"] != 1 {
		t.Errorf("it has not read everything: %v", p.Stats())
	}

	_, c = connect(t, Behaviour{Deaf: true})
	full := false
	ping := make([]byte, 1<<20)
	for range 64 {
		c.socket.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := c.socket.Write(ping); err != nil {
			full = true
			break
		}
	}
	if !full {
		t.Error("64 MiB were taken by a peer that does not read")
	}
}

func TestTwoPeersTalk(t *testing.T) {
	a := New(Config{Net: testNet, Chain: Blocks(blocks.Blocks(0)), Name: "a"})
	defer a.Close()
	addr, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	const ask = 3000
	b := New(Config{Net: testNet, Chain: Blocks(blocks.Blocks(0)), Name: "b", Behaviour: Behaviour{Ask: ask, Leave: ask}})
	defer b.Close()
	if err := b.Dial(addr); err != nil {
		t.Fatal(err)
	}
	b.wg.Wait() // it leaves with the last block; nothing else of it runs
	if b.Stats().Received["block"] != ask {
		t.Fatalf("not all blocks came\na: %v\nb: %v", a.Stats(), b.Stats())
	}
}
