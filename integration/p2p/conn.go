package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// Patience bounds each wait for the node: for a handshake, or for one write.
const Patience = 10 * time.Second

// Node is a node to connect to.
type Node struct {
	Addr string
	Net  wire.BitcoinNet
}

// ErrRefused says that the node ended the connection: it is alive, and wants no
// more peers.
var ErrRefused = errors.New("the node ended the connection")

// Conn is a connection to the node. Any goroutine may send, but only one may
// receive.
type Conn struct {
	socket  net.Conn
	net     wire.BitcoinNet
	r       *bufio.Reader
	stop    func() bool
	sending sync.Mutex
}

// Dial connects and shakes hands. The features are what it sends before its
// verack. When ctx ends, so does the connection.
func (n Node) Dial(ctx context.Context, name string, features ...wire.Message) (*Conn, error) {
	c, err := n.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.handshake(name, features); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Connect opens the socket and sends nothing.
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

// handshake exchanges version and verack.
func (c *Conn) handshake(name string, features []wire.Message) error {
	version := Version(name, Services, 0)
	if len(features) > 0 {
		version.ProtocolVersion = int32(encoding) // the first that has them
	}
	if err := c.Send(version); err != nil {
		return err
	}
	return c.await(func(command string, _ []byte) (bool, error) {
		if command == wire.CmdVersion {
			return false, c.Send(append(slices.Clone(features), wire.NewMsgVerAck())...)
		}
		return command == wire.CmdVerAck, nil
	})
}

// Ping asks for a pong and waits for it. It shows that the node's own loops
// work, not only its listener.
func (c *Conn) Ping() error {
	ping := wire.NewMsgPing(rand.Uint64())
	if err := c.Send(ping); err != nil {
		return refusal(err)
	}
	return c.await(func(command string, payload []byte) (bool, error) {
		if command != wire.CmdPong {
			return false, nil
		}
		pong, err := Decode(payload, &wire.MsgPong{})
		return pong.Nonce == ping.Nonce, err
	})
}

// await receives messages until f says that it is done, for at most Patience.
func (c *Conn) await(f func(command string, payload []byte) (done bool, err error)) error {
	c.socket.SetReadDeadline(time.Now().Add(Patience))
	defer c.socket.SetReadDeadline(time.Time{})
	for {
		command, payload, err := c.Receive()
		done := false
		if err == nil {
			done, err = f(command, payload)
		}
		if err != nil {
			return refusal(err)
		}
		if done {
			return nil
		}
	}
}

// refusal marks an error as ErrRefused, unless the node was silent or this side
// closed the connection.
func refusal(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// Send writes messages. It fails if the node does not read for Patience.
func (c *Conn) Send(msgs ...wire.Message) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.socket.SetWriteDeadline(time.Now().Add(Patience))
	w := bufio.NewWriterSize(c.socket, 32<<10)
	for _, msg := range msgs {
		if _, err := wire.WriteMessageWithEncodingN(w, msg, encoding, c.net, wire.WitnessEncoding); err != nil {
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

// Receive returns the next message. It answers pings.
func (c *Conn) Receive() (command string, payload []byte, err error) {
	command, payload, err = Read(c.r, c.net)
	if err == nil && command == wire.CmdPing {
		var ping *wire.MsgPing
		if ping, err = Decode(payload, &wire.MsgPing{}); err == nil {
			err = c.Send(wire.NewMsgPong(ping.Nonce))
		}
	}
	return command, payload, err
}

// Drain receives messages until the connection ends.
func (c *Conn) Drain() {
	for {
		if _, _, err := c.Receive(); err != nil {
			c.socket.Close()
			return
		}
	}
}

// DontRead makes the receive buffer small for a peer that never reads.
func (c *Conn) DontRead() { DontRead(c.socket) }

// DontRead makes the receive buffer of a socket small. The other side then
// notices soon that nobody reads.
func DontRead(socket net.Conn) {
	if tcp, ok := socket.(*net.TCPConn); ok {
		tcp.SetReadBuffer(4 << 10)
	}
}
