package storm

import (
	"context"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// invWTx announces by wtxid (BIP339); the wire package has no name for it.
const invWTx wire.InvType = 5

// Listen keeps the honest listeners connected until ctx ends. They hear of
// blocks and transactions, and fetch each announced transaction.
func (l *Ledger) Listen(ctx context.Context, node p2p.Node) {
	if l == nil {
		return
	}
	var all sync.WaitGroup
	for i := range listeners {
		var features []wire.Message
		if i == 0 { // one of them by wtxid
			features = append(features, wire.NewMsgWTxIdRelay())
		}
		all.Go(func() {
			for ; ctx.Err() == nil; wait.Sleep(ctx, 100*time.Millisecond) {
				conn, err := node.Dial(ctx, "listener", features...)
				if err != nil {
					continue
				}
				l.hear(ctx, conn, i)
				conn.Close()
			}
		})
	}
	all.Wait()
}

// hear listens on one connection until it ends.
func (l *Ledger) hear(ctx context.Context, conn *p2p.Conn, i int) {
	l.note(func() { l.ready[i] = true })
	for {
		command, payload, err := conn.Receive()
		if err == nil {
			err = l.handle(conn, i, command, payload)
		}
		if err != nil {
			if ctx.Err() == nil {
				l.note(func() { l.sum.Lost++ })
			}
			return
		}
	}
}

func (l *Ledger) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *Ledger) handle(conn *p2p.Conn, i int, command string, payload []byte) error {
	switch command {
	case wire.CmdInv:
		msg, err := p2p.Decode(payload, &wire.MsgInv{})
		if err != nil {
			return err
		}
		if ask := l.onInv(i, msg.InvList); len(ask.InvList) > 0 {
			return conn.Send(ask)
		}
	case wire.CmdHeaders:
		msg, err := p2p.Decode(payload, &wire.MsgHeaders{})
		if err != nil {
			return err
		}
		for _, header := range msg.Headers {
			l.note(func() { l.onBlock(i, header.BlockHash()) })
		}
	case wire.CmdTx:
		msg, err := p2p.Decode(payload, &wire.MsgTx{})
		if err != nil {
			return err
		}
		l.onTx(i, msg)
	}
	return nil
}

// onInv notes what is announced and returns the request for it.
func (l *Ledger) onInv(i int, items []*wire.InvVect) *wire.MsgGetData {
	now := time.Now()
	ask := wire.NewMsgGetData()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range items {
		as := wire.InvTypeWitnessTx
		switch item.Type {
		case wire.InvTypeBlock, wire.InvTypeWitnessBlock:
			l.onBlock(i, item.Hash)
			continue
		case invWTx:
			as = invWTx
		}
		e := l.names[item.Hash]
		switch {
		case e == nil && !l.settled[prefix(item.Hash)]:
			l.strange[item.Hash] = true
		case e == nil || e.heard[i]:
		default:
			e.heard[i], e.delay[i] = true, now.Sub(e.sent).Seconds()
			ask.AddInvVect(&wire.InvVect{Type: as, Hash: item.Hash})
		}
	}
	return ask
}

// onBlock notes that a listener has heard of a block: the node has connected it.
func (l *Ledger) onBlock(i int, hash chainhash.Hash) {
	if block, ok := l.blocks[hash]; ok && block.height > l.tip[i] {
		l.tip[i] = block.height
		l.arrival = append(l.arrival, time.Since(block.at).Seconds())
	}
}

// onTx compares what is delivered with what was sent.
func (l *Ledger) onTx(i int, tx *wire.MsgTx) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.names[tx.TxHash()]
	switch {
	case e == nil:
	case e.wtxid != tx.WitnessHash():
		l.sum.Wrong++
	default:
		e.got[i] = true
	}
}

// await waits until every listener has been connected, or for some seconds. A
// node relays to a peer only what comes after it.
func (l *Ledger) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	wait.Until(ctx, func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.ready == [listeners]bool{true, true, true}, ""
	})
}
