package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
	"acyclic/peer"
)

// Strangers that announce transactions. All but the flood announce at once what is paid in the
// town, so that they are asked for it, each by one name on one connection.
const (
	hoarder    manner = veteran + 1 + iota // delivers nothing
	tardy                                  // delivers when the time is over
	changeling                             // delivers something else
	lacker                                 // says that it has not got it
	orphaner                               // has transactions without parents too
	cheat                                  // has invalid ones too
	flood                                  // announces thousands that do not exist
	quitter                                // leaves when it is asked
	courier                                // delivers what it has announced
)

// trader is what such a stranger does on one connection.
type trader struct {
	byWTxID bool                           // it has said wtxidrelay
	told    int                            // how many payments of the market it has announced
	own     map[chainhash.Hash]*wire.MsgTx // what it has made up, by the name that it announces
	late    []delivery                     // in order of their time
	gave    map[chainhash.Hash]bool        // what it has delivered, by name
}

// delivery is a transaction that a tardy stranger sends at a time.
type delivery struct {
	at time.Time
	tx *wire.MsgTx
}

// trades says whether a stranger's business is transactions.
func (m manner) trades() bool { return m >= hoarder }

// modern says wtxidrelay on every other connection.
func (l *liar) modern(out *actor.Outbox) {
	if l.byWTxID = l.how.trades() && l.rng.IntN(2) == 0; l.byWTxID {
		out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: wire.CmdWTxIdRelay})
	}
}

func (l *liar) openShop(now time.Time) {
	l.own, l.gave = map[chainhash.Hash]*wire.MsgTx{}, map[chainhash.Hash]bool{}
	l.told, l.acts = len(l.market.txs), now.Add(time.Second)
}

func (l *liar) nameOf(tx *wire.MsgTx) *wire.InvVect {
	id := chain.NameOf(tx)
	if l.byWTxID {
		return wire.NewInvVect(peer.InvTypeWTx, &id.WTxID)
	}
	return wire.NewInvVect(wire.InvTypeTx, &id.TxID)
}

// trade announces what is new, and delivers what is late.
func (l *liar) trade(now time.Time, out *actor.Outbox) {
	l.acts = now.Add(time.Second)
	for len(l.late) > 0 && !l.late[0].at.After(now) {
		l.say(out, l.late[0].tx)
		l.late = l.late[1:]
	}
	inv := wire.NewMsgInv()
	for ; l.told < len(l.market.txs); l.told++ {
		inv.InvList = append(inv.InvList, l.nameOf(l.market.txs[l.told]))
	}
	switch {
	case l.how == flood && !l.market.idle() && l.rng.IntN(20) == 0:
		kind := l.nameOf(genesis.Transactions[0]).Type
		for range 6000 {
			h := l.hash()
			inv.InvList = append(inv.InvList, wire.NewInvVect(kind, &h))
		}
	case (l.how == orphaner || l.how == cheat) && !l.market.idle() && l.rng.IntN(10) == 0:
		tx := lost(l.hash(), l.rng.Uint64())
		if l.how == cheat {
			l.market.condemn(tx, chain.TxInvalid)
		}
		v := l.nameOf(tx)
		l.own[v.Hash] = tx
		inv.InvList = append(inv.InvList, v)
	}
	if len(inv.InvList) > 0 {
		l.say(out, inv)
	}
}

// lost makes a transaction that spends what is nowhere.
func lost(h chainhash.Hash, salt uint64) *wire.MsgTx {
	return fake.Pay([]fake.Coin{{At: wire.OutPoint{Hash: h}, Value: 1e6}}, highFee, 1, salt)
}

// deal answers a getdata for transactions, each in its manner.
func (l *liar) deal(now time.Time, m *wire.MsgGetData, out *actor.Outbox) {
	missing := wire.NewMsgNotFound()
	for _, v := range m.InvList {
		tx := l.own[v.Hash]
		if tx == nil {
			tx = l.market.byName[v.Hash]
		}
		switch {
		case tx == nil || l.how == lacker:
			missing.InvList = append(missing.InvList, v)
		case l.how == tardy:
			l.late = append(l.late, delivery{now.Add(62 * time.Second), tx})
		case l.how == changeling:
			l.say(out, l.changed(tx))
		case l.how == quitter:
			l.leave(out, "asked for something")
			return
		case l.how == orphaner || l.how == cheat || l.how == courier:
			if l.own[v.Hash] != nil && l.how == cheat {
				l.endures(now)
			}
			l.say(out, tx)
			l.gave[v.Hash] = true
		}
	}
	if len(missing.InvList) > 0 && l.how != hoarder && l.how != flood {
		l.say(out, missing)
	}
}

// changed is another transaction, or the same one with a witness that does not belong to it.
func (l *liar) changed(tx *wire.MsgTx) *wire.MsgTx {
	if l.rng.IntN(2) == 0 {
		return lost(l.hash(), l.rng.Uint64())
	}
	tx = tx.Copy()
	tx.TxIn[0].Witness = wire.TxWitness{{byte(l.rng.Uint32()), 1, 2}}
	l.market.condemn(tx, chain.TxWitness)
	return tx
}

// overhear finds that a node announces what it has from this very connection. It asks for
// what it is told by txid, and for no witness data, as clients from before BIP144 do.
func (l *liar) overhear(m *wire.MsgInv, out *actor.Outbox) {
	get := wire.NewMsgGetData()
	for _, v := range m.InvList {
		if l.node && v.Type == wire.InvTypeTx {
			get.InvList = append(get.InvList, v)
		}
		if l.gave[v.Hash] && l.node {
			l.wrong(fmt.Errorf("a %v stranger is told of transaction %v, which it has delivered", l.how, v.Hash))
		}
	}
	if len(get.InvList) > 0 {
		l.say(out, get)
	}
}

// unwrap finds that a node sends witness data that was not asked for.
func (l *liar) unwrap(tx *wire.MsgTx) {
	if l.node && tx.HasWitness() {
		l.wrong(fmt.Errorf("a %v stranger gets the witness data of transaction %v, and has not asked for it", l.how, tx.TxHash()))
	}
}

// condemn lets all nodes find a transaction bad.
func (k *market) condemn(tx *wire.MsgTx, code chain.TxCode) {
	for _, n := range k.town.nodes {
		n.store.Rules.Bad[tx.WitnessHash()] = code
	}
}

// Two nodes with wallets are among strangers that announce the same transactions, and do not
// keep their word. Any three seeds have all manners. What is valid reaches the other node all
// the same, who sends what is invalid is banned, and nobody is told what it has delivered.
var shops = scenario{
	name: "TestStrangersWithTransactions", seeds: 4, net: smoothNet, size: 6,
	bounds: bounds{rough: 4 * time.Minute, agree: 10 * time.Minute, news: 15 * time.Minute},
	build: func(c *town) {
		begin := c.Now
		c.bounds = func(s *node.Settings) { s.Limits.Relay.Txs.MaxAnnounced = 200 } // what a flood announces stays for minutes
		k := traders(c, 2, quick, func() bool { return c.calm || c.Now.Sub(begin) < time.Minute })
		for _, n := range c.nodes {
			n.store.Rules.MinFee, n.store.Rules.Bad = cheapFee, map[chainhash.Hash]chain.TxCode{}
		}
		for i := range 4 {
			c.invite(hoarder+manner((int(c.seed)*4+i)%9), chainOf(60, 1)).market = k
		}
		trades(c, true)
	},
}

func TestStrangersWithTransactions(t *testing.T) { try(t, &shops) }
