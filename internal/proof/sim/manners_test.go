package sim_test

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
)

// breach is how a rude stranger breaks the order on one connection.
type breach int

const (
	ancient  breach = iota // a version that is too old
	useless                // offers no blocks
	stripped               // offers blocks without witness data
	untimely               // pings before its version
	twofold                // says its version twice
	belated                // says sendaddrv2 after verack
	elder                  // has a version from before pongs
	lengthy                // has a locator that is too long
	painted                // has a user agent that no terminal should see, and says sendheaders twice
	breaches = int(iota)
)

// introduce says the stranger's version, as rudely as it is.
func (l *liar) introduce(now time.Time, out *actor.Outbox) {
	v := l.version(now).(*wire.MsgVersion)
	if l.how == rude {
		switch l.breach {
		case ancient:
			v.ProtocolVersion = 209
			l.endures(now)
		case useless:
			v.Services = 0
		case stripped:
			v.Services = wire.SFNodeNetwork
		case untimely:
			l.say(out, wire.NewMsgPing(1))
		case elder:
			v.ProtocolVersion = int32(wire.BIP0031Version)
		case painted:
			v.UserAgent = "/\x1b[31m\n/"
		}
	}
	l.say(out, v)
}

// greeted goes on when the node has said its verack.
func (l *liar) greeted(now time.Time, out *actor.Outbox) {
	switch {
	case l.how == gibberer:
		l.acts = now.Add(time.Second)
	case l.how == veteran:
		l.begin(now, out)
	case l.how.trades():
		l.openShop(now)
	case l.how == gossip:
		l.tell(now, out)
	case l.how == rude && l.breach == twofold:
		l.say(out, l.version(now))
		l.endures(now)
	case l.how == rude && l.breach == belated:
		l.say(out, wire.NewMsgSendAddrV2())
		l.endures(now)
	case l.how == rude && l.breach == elder:
		l.say(out, wire.NewMsgPing(2))
	case l.how == rude && l.breach == lengthy:
		m := &wire.MsgGetHeaders{ProtocolVersion: wire.ProtocolVersion}
		for range wire.MaxBlockLocatorsPerMsg {
			h := l.hash()
			m.BlockLocatorHashes = append(m.BlockLocatorHashes, &h)
		}
		l.say(out, m)
		l.endures(now)
	case l.how == rude && l.breach == painted:
		l.say(out, wire.NewMsgSendHeaders())
		l.say(out, wire.NewMsgSendHeaders())
		tx := wire.NewMsgInv()
		tx.InvList = append(tx.InvList, wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{1}))
		l.say(out, tx)
	}
}

// tell asks for addresses, and tells some: of the town, of the past and of the future.
func (l *liar) tell(now time.Time, out *actor.Outbox) {
	l.say(out, wire.NewMsgGetAddr())
	if l.sure && !l.inbound {
		l.endures(now)
	}
	old, fresh := wire.NewMsgAddr(), wire.NewMsgAddrV2()
	for i, a := range l.addrs {
		seen := now.Add(time.Duration(l.rng.IntN(200)-100) * time.Minute).Truncate(time.Second)
		x := wire.NetAddressV2FromBytes(seen, node.Services, a.Addr().AsSlice(), a.Port())
		if i%2 == 0 {
			old.AddrList = append(old.AddrList, x.ToLegacy())
		} else {
			fresh.AddrList = append(fresh.AddrList, x)
		}
	}
	l.say(out, old)
	l.say(out, fresh)
}

// ordeal is what a stranger suffers, or should.
type ordeal struct {
	node   bool      // the other side is a node, and no stranger
	due    time.Time // by when a node must have ended the connection, or told a gossip addresses; zero: it need not
	minute time.Time // the last minute's begin
	asks   int       // getheaders since then
}

const (
	maxRude   = 5 * time.Minute // for what a node must do: a line may be cut
	maxParrot = 30              // getheaders a minute to one who repeats itself
)

// endures notes that a breach was committed for which the connection must end, or that a
// gossip has asked for addresses.
func (l *liar) endures(now time.Time) { l.due = now.Add(maxRude) }

// bear finds that nothing happened.
func (l *liar) bear(now time.Time) {
	if l.due.IsZero() || l.due.After(now) {
		return
	}
	l.due = time.Time{}
	if l.node {
		l.wrong(fmt.Errorf("a %v stranger (breach %d) still waits after %v", l.how, l.breach, maxRude))
	}
}

// queried counts how often a parrot is asked.
func (l *liar) queried(now time.Time) {
	if now.Sub(l.minute) >= time.Minute {
		l.minute, l.asks = now, 0
	}
	if l.asks++; l.how == parrot && l.node && l.asks > maxParrot {
		l.wrong(fmt.Errorf("a parrot is asked for headers %d times within %v", l.asks, now.Sub(l.minute)))
	}
}
