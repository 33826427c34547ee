package script

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// maxJobs bounds what a connection has to send. If it is reached, the socket is
// not read. A getdata of 50,000 blocks passes through it piece by piece.
const maxJobs = 1024

// job is one message to send. A block is encoded only when it is sent.
type job struct {
	msg      wire.Message
	encoding wire.MessageEncoding
}

type conn struct {
	p       *Peer
	socket  net.Conn
	inbound bool
	nonce   uint64
	jobs    chan job
	ctx     context.Context // ends with the connection; its cause says why
	cancel  context.CancelCauseFunc

	ready       atomic.Bool
	sendHeaders atomic.Bool    // the other side asked for headers announcements
	received    int            // messages since the handshake; only the reader uses it
	last        chainhash.Hash // of a full answer to getblocks; only the reader uses it
	blocks      int            // sent; only the writer uses it
}

func newConn(p *Peer, socket net.Conn, inbound bool, nonce uint64) *conn {
	c := &conn{p: p, socket: socket, inbound: inbound, nonce: nonce, jobs: make(chan job, maxJobs)}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

// end closes the connection. Only the first reason counts.
func (c *conn) end(why string) {
	c.cancel(errors.New(why))
	c.socket.Close()
}

// send queues a message. It waits while the queue is full, and returns false if
// the connection has ended.
func (c *conn) send(msg wire.Message) bool { return c.sendAs(msg, wire.WitnessEncoding) }

func (c *conn) sendAs(msg wire.Message, encoding wire.MessageEncoding) bool {
	select {
	case c.jobs <- job{msg, encoding}:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (c *conn) read() {
	defer c.p.ended(c)
	if !c.inbound && !c.send(c.version()) {
		return
	}
	r := bufio.NewReader(c.socket)
	for {
		command, payload, err := p2p.Read(r, c.p.cfg.Net)
		if err != nil {
			c.end("read: " + err.Error())
			return
		}
		c.p.note(func(s *Stats) { s.Received[command]++ })
		if err := c.handle(command, payload); err != nil {
			c.end(command + ": " + err.Error())
			return
		}
		if c.ready.Load() && c.p.cfg.Behaviour.Deaf {
			<-c.ctx.Done()
			return
		}
	}
}

func (c *conn) write() {
	defer c.p.ended(c)
	for {
		select {
		case <-c.ctx.Done():
			return
		case j := <-c.jobs:
			if err := c.perform(j); err != nil {
				c.end("write: " + err.Error())
				return
			}
		}
	}
}

func (c *conn) perform(j job) error {
	raw, err := p2p.Encode(j.msg, c.p.cfg.Net, j.encoding)
	if err != nil {
		return err
	}
	block, ok := j.msg.(*wire.MsgBlock)
	if !ok {
		_, err := c.socket.Write(raw)
		return err
	}

	b := &c.p.cfg.Behaviour
	lag := b.Latency
	if b.BytesPerSecond > 0 {
		lag += time.Duration(len(raw)) * time.Second / time.Duration(b.BytesPerSecond)
	}
	if lag > 0 && !wait.Sleep(c.ctx, lag) {
		return nil
	}
	c.blocks++
	if c.blocks == b.DieAt {
		c.socket.Write(raw[:len(raw)/2])
		c.end("died in the middle of block " + block.BlockHash().String())
		return nil
	}
	if _, err := c.socket.Write(raw); err != nil {
		return err
	}
	c.p.note(func(s *Stats) { s.Blocks++ })
	return nil
}

func (c *conn) version() *wire.MsgVersion {
	height := cmp.Or(c.p.cfg.Behaviour.Claim, c.p.current().Height())
	return p2p.Version(c.p.cfg.Name, c.p.cfg.Services, height)
}

// announce tells the other side of a new chain.
func (c *conn) announce(from, to *Chain) {
	if !c.ready.Load() || c.p.cfg.Behaviour.Deaf || c.p.cfg.Behaviour.Silent {
		return
	}
	fork := to.fork(from)
	if n := to.Height() - fork; c.sendHeaders.Load() && n > 0 && n <= wire.MaxBlockHeadersPerMsg {
		c.send(&wire.MsgHeaders{Headers: to.headers[fork+1:]})
		return
	}
	c.send(inv([]chainhash.Hash{to.Tip()}))
}

func inv(hashes []chainhash.Hash) *wire.MsgInv {
	msg := wire.NewMsgInvSizeHint(uint(len(hashes)))
	for i := range hashes {
		msg.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hashes[i]))
	}
	return msg
}
