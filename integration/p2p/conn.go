// Package p2p is the least that can be called a peer of a node: a
// handshake, messages out, pings answered. The storms are made of these.
package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// Patience bounds each wait for the node: a handshake, one write.
const Patience = 10 * time.Second

const protocol = wire.ProtocolVersion

// Node is a node to connect to.
type Node struct {
	Addr string
	Net  wire.BitcoinNet
}

// ErrRefused says that the node ended the connection in the handshake: it is
// alive and wants no more peers.
var ErrRefused = errors.New("the node ended the connection")

// Conn is a connection to the node. Any goroutine may send, one may receive.
type Conn struct {
	socket  net.Conn
	net     wire.BitcoinNet
	r       *bufio.Reader
	stop    func() bool
	sending sync.Mutex
}

// Dial connects and shakes hands. When ctx ends, so does the connection.
func (n Node) Dial(ctx context.Context, name string) (*Conn, error) {
	c, err := n.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.handshake(name); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Connect opens the socket and says nothing.
func (n Node) Connect(ctx context.Context) (*Conn, error) {
	dialer := net.Dialer{Timeout: Patience}
	socket, err := dialer.DialContext(ctx, "tcp", n.Addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := socket.(*net.TCPConn); ok {
		tcp.SetLinger(0) // churn must not use up the ports of this machine
	}
	c := &Conn{socket: socket, net: n.Net, r: bufio.NewReader(socket)}
	c.stop = context.AfterFunc(ctx, func() { socket.Close() })
	return c, nil
}

// Close ends the connection at once.
func (c *Conn) Close() {
	c.stop()
	c.socket.Close()
}

// Version is what a peer of that name says first.
func Version(name string, height int32) *wire.MsgVersion {
	const services = wire.SFNodeNetwork | wire.SFNodeWitness
	loopback := net.IPv4(127, 0, 0, 1)
	me := wire.NewNetAddressIPPort(loopback, 0, services)
	you := wire.NewNetAddressIPPort(loopback, 0, 0)
	msg := wire.NewMsgVersion(me, you, rand.Uint64(), height) // a nonce is chance wherever it comes from
	msg.Services = services
	msg.UserAgent = "/stormlab:" + name + "/"
	return msg
}

// handshake sends version and verack and waits for the node's.
func (c *Conn) handshake(name string) error {
	if err := c.Send(Version(name, 0)); err != nil {
		return err
	}
	c.socket.SetReadDeadline(time.Now().Add(Patience))
	defer c.socket.SetReadDeadline(time.Time{})
	for {
		msg, err := c.Receive()
		if err != nil {
			return refusal(err)
		}
		switch msg.(type) {
		case *wire.MsgVersion:
			if err := c.Send(wire.NewMsgVerAck()); err != nil {
				return refusal(err)
			}
		case *wire.MsgVerAck:
			return nil
		}
	}
}

// refusal tells silence from a closed door.
func refusal(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// Send writes messages; a node that does not read for Patience is an error.
func (c *Conn) Send(msgs ...wire.Message) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.socket.SetWriteDeadline(time.Now().Add(Patience))
	w := bufio.NewWriterSize(c.socket, 32<<10)
	for _, msg := range msgs {
		if _, err := wire.WriteMessageWithEncodingN(w, msg, protocol, c.net, wire.WitnessEncoding); err != nil {
			return err
		}
	}
	return w.Flush()
}

// SendRaw writes bytes that need not be a message.
func (c *Conn) SendRaw(raw []byte) error {
	c.socket.SetWriteDeadline(time.Now().Add(Patience))
	_, err := c.socket.Write(raw)
	return err
}

// Receive returns the next message that the wire package knows.
func (c *Conn) Receive() (wire.Message, error) {
	for {
		_, msg, _, err := wire.ReadMessageWithEncodingN(c.r, protocol, c.net, wire.WitnessEncoding)
		if errors.Is(err, wire.ErrUnknownMessage) {
			continue
		}
		return msg, err
	}
}

// Drain answers pings and forgets the rest until the connection ends.
func (c *Conn) Drain() {
	for {
		msg, err := c.Receive()
		if err != nil {
			c.socket.Close()
			return
		}
		if ping, ok := msg.(*wire.MsgPing); ok && c.Send(wire.NewMsgPong(ping.Nonce)) != nil {
			return
		}
	}
}

// Ping asks for a pong and waits for it: the node's own loops have to work for
// that, not only its listener.
func (c *Conn) Ping() error {
	nonce := rand.Uint64()
	if err := c.Send(wire.NewMsgPing(nonce)); err != nil {
		return refusal(err)
	}
	c.socket.SetReadDeadline(time.Now().Add(Patience))
	defer c.socket.SetReadDeadline(time.Time{})
	for {
		msg, err := c.Receive()
		if err != nil {
			return refusal(err)
		}
		switch msg := msg.(type) {
		case *wire.MsgPing:
			if err := c.Send(wire.NewMsgPong(msg.Nonce)); err != nil {
				return refusal(err)
			}
		case *wire.MsgPong:
			if msg.Nonce == nonce {
				return nil
			}
		}
	}
}

// DontRead makes the receive buffer small, for peers that never read.
func (c *Conn) DontRead() {
	if tcp, ok := c.socket.(*net.TCPConn); ok {
		tcp.SetReadBuffer(4 << 10)
	}
}
