package p2p

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a node that a test plays on each connection.
func fake(t *testing.T, play func(net.Conn)) Node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			play(socket)
			socket.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return Node{Addr: l.Addr().String(), Net: wire.TestNet}
}

func say(socket net.Conn, msgs ...wire.Message) {
	for _, msg := range msgs {
		wire.WriteMessage(socket, msg, encoding, wire.TestNet)
	}
}

// hear returns the next message, or nil if the connection has ended.
func hear(socket net.Conn) wire.Message {
	msg, _, _ := wire.ReadMessage(socket, encoding, wire.TestNet)
	return msg
}

// TestHandshakeAndPing talks to a node that sends other messages between the
// expected ones.
func TestHandshakeAndPing(t *testing.T) {
	node := fake(t, func(socket net.Conn) {
		if v, ok := hear(socket).(*wire.MsgVersion); !ok || v.UserAgent != "/scripted:test/" {
			t.Errorf("not a version of ours")
		}
		say(socket, Version("node", 0, 7), &wire.MsgSendAddrV2{}, wire.NewMsgVerAck())
		if _, ok := hear(socket).(*wire.MsgVerAck); !ok {
			t.Error("no verack")
		}
		ping, ok := hear(socket).(*wire.MsgPing)
		if !ok {
			t.Error("no ping")
			return
		}
		say(socket, wire.NewMsgPing(5), wire.NewMsgPong(ping.Nonce+1), wire.NewMsgPong(ping.Nonce))
		if pong, ok := hear(socket).(*wire.MsgPong); !ok || pong.Nonce != 5 {
			t.Error("our ping was not answered")
		}
	})
	conn, err := node.Dial(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Ping(); err != nil {
		t.Error(err)
	}
}

// TestFeaturesComeBeforeVerack: a peer may ask for a feature only then (BIP339).
func TestFeaturesComeBeforeVerack(t *testing.T) {
	node := fake(t, func(socket net.Conn) {
		hear(socket)
		say(socket, Version("node", 0, 7), wire.NewMsgVerAck())
		for _, want := range []string{wire.CmdWTxIdRelay, wire.CmdVerAck} {
			if command, _, err := Read(socket, wire.TestNet); command != want {
				t.Errorf("%s, %v, want %s", command, err, want)
			}
		}
	})
	conn, err := node.Dial(t.Context(), "test", wire.NewMsgWTxIdRelay())
	if err != nil {
		t.Fatal(err)
	}
	conn.Receive() // the end
	conn.Close()
}

func TestAClosedDoorIsARefusal(t *testing.T) {
	node := fake(t, func(socket net.Conn) { hear(socket) })
	if _, err := node.Dial(t.Context(), "test"); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestSilenceIsNoRefusal: a caller that gives up has not been refused.
func TestSilenceIsNoRefusal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	node := fake(t, func(socket net.Conn) {
		hear(socket)
		cancel()
		hear(socket) // the end
	})
	if _, err := node.Dial(ctx, "test"); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}
