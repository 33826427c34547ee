package storm

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

const (
	silentPeers    = 8
	announcingPeer = 4
	announceEvery  = time.Second
	// requestBound is how long a node may wait for one announcer before it asks
	// another (60 s, as Core), with the delays before a request and some more.
	requestBound = 75 * time.Second
)

// announcers send what they have only on request. Silent peers announce the same
// before them and never deliver it; one forger sends it with another witness. A
// node may wait a minute for a silent peer. So the silent ones end their part
// when what they announce could not come in time any more.
func (c *crew) announcers(ctx context.Context, w *chaingen.Wallet, coins []chaingen.Coin) {
	news := make([]chan *wire.MsgTx, announcingPeer*silentPeers) // the announcers' latest, for each silent one
	for i := range news {
		news[i] = make(chan *wire.MsgTx, 1)
	}
	for i := range silentPeers {
		c.connected(ctx, 1, 100*time.Millisecond, "silent", func(conn *p2p.Conn, rng *rand.Rand) {
			for {
				msg := nonsense(rng, 5)
				for j := range announcingPeer {
					select {
					case tx := <-news[j*silentPeers+i]:
						msg.AddInvVect(&wire.InvVect{Type: wire.InvTypeTx, Hash: tx.TxHash()})
						if i == 0 {
							conn.Send(forged(tx, rng))
						}
					default:
					}
				}
				if conn.Send(msg) != nil || !wait.Sleep(ctx, announceEvery/4) {
					return
				}
				c.r.Load.Messages.Add(1)
			}
		})
	}
	for i := range announcingPeer {
		s := &shop{goods: map[chainhash.Hash]*wire.MsgTx{}}
		box := &coinBox{coins: coins[i*len(coins)/announcingPeer : (i+1)*len(coins)/announcingPeer]}
		c.stays(ctx, "announcer", func(conn *p2p.Conn) { serve(conn, s.find) }, func(conn *p2p.Conn, _ *rand.Rand) {
			c.r.Ledger.await(ctx)
			for err := s.announce(conn); err == nil && wait.Sleep(ctx, announceEvery); {
				for _, coin := range box.take(1) {
					tx, _ := w.Split(coin, 1, keptFactor*payRate*plainSize)
					c.r.Ledger.enter(tx, kept)
					s.add(tx)
					c.r.Load.Txs.Add(1)
					if c.r.timeLeft(ctx) > requestBound {
						for k := range silentPeers {
							hand(news[i*silentPeers+k], tx)
						}
						wait.Sleep(ctx, announceEvery/2)
					}
					err = s.announce(conn, tx.TxHash())
				}
			}
		})
	}
}

// hand gives a value if the last one has been taken.
func hand[T any](to chan T, v T) {
	select {
	case to <- v:
	default:
	}
}

// timeLeft is the time until the listeners leave.
func (r *Rig) timeLeft(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return time.Until(end) + r.Grace
}

// shop has what an announcer delivers on request.
type shop struct {
	mu    sync.Mutex
	goods map[chainhash.Hash]*wire.MsgTx
	names []chainhash.Hash
}

func (s *shop) add(tx *wire.MsgTx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.goods[tx.TxHash()] = tx
	s.names = append(s.names, tx.TxHash())
}

// announce sends an inv of the names; without names of everything, which a new
// connection needs.
func (s *shop) announce(conn *p2p.Conn, names ...chainhash.Hash) error {
	if len(names) == 0 {
		s.mu.Lock()
		names = s.names[:len(s.names):len(s.names)]
		s.mu.Unlock()
	}
	msg := wire.NewMsgInv()
	for i := range names {
		msg.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &names[i]))
	}
	if len(names) == 0 {
		return nil
	}
	return conn.Send(msg)
}

// find returns what has that name, or nil.
func (s *shop) find(name chainhash.Hash) *wire.MsgTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.goods[name]
}

// serve answers each getdata with what find returns, until the connection ends.
func serve(conn *p2p.Conn, find func(chainhash.Hash) *wire.MsgTx) {
	for {
		command, payload, err := conn.Receive()
		if err != nil {
			return
		}
		if command != wire.CmdGetData {
			continue
		}
		msg, err := p2p.Decode(payload, &wire.MsgGetData{})
		if err != nil {
			return
		}
		var answers []wire.Message
		missing := wire.NewMsgNotFound()
		for _, item := range msg.InvList {
			if tx := find(item.Hash); tx != nil {
				answers = append(answers, tx)
			} else {
				missing.AddInvVect(item)
			}
		}
		if len(missing.InvList) > 0 {
			answers = append(answers, missing)
		}
		if conn.Send(answers...) != nil {
			return
		}
	}
}
