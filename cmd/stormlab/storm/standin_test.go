package storm

import (
	"bufio"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// standin plays a node that takes everything that is valid, and relays it at
// once to everybody else. It believes every block that is announced.
type standin struct {
	network wire.BitcoinNet
	// swallow is true for a transaction that it hides, change returns what it
	// serves instead of a transaction. Nil: neither.
	swallow func(*wire.MsgTx) bool
	change  func(*wire.MsgTx) *wire.MsgTx

	mu    sync.Mutex
	conns map[net.Conn]chan wire.Message
	txs   map[chainhash.Hash]*wire.MsgTx
}

func startStandin(t *testing.T, s *standin) p2p.Node {
	s.conns, s.txs = map[net.Conn]chan wire.Message{}, map[chainhash.Hash]*wire.MsgTx{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			out := make(chan wire.Message, 10_000)
			s.mu.Lock()
			s.conns[c] = out
			s.mu.Unlock()
			wg.Go(func() { s.write(c, out) })
			wg.Go(func() { s.read(c, out) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		wg.Wait()
	})
	return p2p.Node{Addr: l.Addr().String(), Net: s.network}
}

func (s *standin) write(c net.Conn, out chan wire.Message) {
	for msg := range out {
		if raw, err := p2p.Encode(msg, s.network, wire.WitnessEncoding); err == nil {
			c.Write(raw)
		}
	}
}

func (s *standin) read(c net.Conn, out chan wire.Message) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
		close(out)
		c.Close()
	}()
	for r := bufio.NewReader(c); ; {
		command, payload, err := p2p.Read(r, s.network)
		if err != nil {
			return
		}
		switch command {
		case wire.CmdVersion:
			out <- p2p.Version("standin", p2p.Services, 0)
			out <- wire.NewMsgVerAck()
		case wire.CmdInv:
			msg, _ := p2p.Decode(payload, &wire.MsgInv{})
			s.onInv(c, out, msg)
		case wire.CmdGetData:
			msg, _ := p2p.Decode(payload, &wire.MsgGetData{})
			s.onGetData(out, msg)
		case wire.CmdTx:
			msg, _ := p2p.Decode(payload, &wire.MsgTx{})
			s.onTx(c, msg)
		}
	}
}

func (s *standin) onInv(from net.Conn, out chan wire.Message, msg *wire.MsgInv) {
	for _, item := range msg.InvList {
		if item.Type == wire.InvTypeBlock {
			s.tell(from, item)
		}
	}
}

func (s *standin) tell(from net.Conn, item *wire.InvVect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, out := range s.conns {
		inv := wire.NewMsgInv()
		inv.AddInvVect(item)
		if c == from {
			continue
		}
		select {
		case out <- inv:
		default: // a slow reader of the stand-in hears less
		}
	}
}

func (s *standin) onTx(from net.Conn, tx *wire.MsgTx) {
	if s.swallow != nil && s.swallow(tx) {
		return
	}
	hash := tx.TxHash()
	s.mu.Lock()
	known := s.txs[hash] != nil
	s.txs[hash] = tx
	s.mu.Unlock()
	if !known {
		s.tell(from, &wire.InvVect{Type: wire.InvTypeTx, Hash: hash})
	}
}

func (s *standin) onGetData(out chan wire.Message, msg *wire.MsgGetData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range msg.InvList {
		tx := s.txs[item.Hash]
		if tx != nil && s.change != nil {
			tx = s.change(tx)
		}
		if tx != nil {
			out <- tx
		}
	}
}

// stormed runs a short storm of some payers at a stand-in and returns what the
// listeners saw.
func stormed(t *testing.T, s *standin) *Relayed {
	t.Helper()
	payers := Storm{Name: "payers", Base: Base{Blocks: 120, Coins: 1_000}, Honest: true}
	s.network = payers.Base.Network().Net
	node := startStandin(t, s)
	feed := NewFeed(node.Addr, payers.Base, 1)
	r := NewRig(payers, node, feed, 1)
	life, end := context.WithCancel(t.Context())
	r.Life = life
	var others sync.WaitGroup
	others.Go(func() { feed.Run(life) })
	others.Go(func() { r.Ledger.Listen(life, node) })
	ctx, cancel := context.WithCancel(t.Context())
	crew := crew{r: r}
	crew.payers(ctx, 6, feed.Coins, txFee, 20*time.Millisecond)
	others.Go(func() {
		defer cancel()
		for r.Ledger.Relayed().Kept < 12 && wait.Sleep(life, 10*time.Millisecond) {
		}
	})
	crew.Wait()
	patience(life, r.Ledger)
	seen := r.Ledger.Relayed()
	end()
	r.Wait()
	others.Wait()
	return seen
}

// patience waits until the listeners have heard of everything, or for a second:
// the stand-in answers at once.
func patience(ctx context.Context, l *Ledger) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	wait.Until(ctx, func() (bool, string) {
		sum := l.Relayed()
		return sum.Missing == 0 && sum.Unserved == 0, ""
	})
}

// TestListenersHearOfEverything: at a node that relays, nothing is missing.
func TestListenersHearOfEverything(t *testing.T) {
	t.Parallel()
	seen := stormed(t, &standin{})
	if !seen.Good() || seen.Kept < 12 || seen.Announced != listeners*seen.Sent || seen.Lost > 0 || seen.Relay.P99 <= 0 {
		t.Errorf("%+v", *seen)
	}
}

// TestASwallowedTransactionIsMissed is the negative control: one transaction
// that reaches nobody makes the node bad.
func TestASwallowedTransactionIsMissed(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var hidden chainhash.Hash
	seen := stormed(t, &standin{swallow: func(tx *wire.MsgTx) bool {
		once.Do(func() { hidden = tx.TxHash() })
		return tx.TxHash() == hidden
	}})
	if seen.Good() || seen.Missing != listeners || len(seen.Examples) != 1 || seen.Examples[0].TxID != hidden.String() {
		t.Errorf("%+v", *seen)
	}
}

// TestAStrippedWitnessIsSeen: what is served must be what was sent.
func TestAStrippedWitnessIsSeen(t *testing.T) {
	t.Parallel()
	seen := stormed(t, &standin{change: func(tx *wire.MsgTx) *wire.MsgTx {
		tx = tx.Copy()
		tx.TxIn[0].Witness = nil
		return tx
	}})
	if seen.Good() || seen.Wrong == 0 || seen.Missing > 0 {
		t.Errorf("%+v", *seen)
	}
}
