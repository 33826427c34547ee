package sim_test

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim"
	"acyclic/internal/proof/sim/fake"
	"acyclic/peer"
	"acyclic/server"
)

// manner is how a stranger behaves.
type manner uint8

const (
	boaster  manner = iota // has headers with the most work and none of their blocks
	mute                   // says nothing after the handshake
	gibberer               // says what makes no sense, and breaks the framing
	flooder                // asks and announces without end and never reads
	churner                // comes and goes
	forger                 // has a chain with the most work and an invalid block in it
	spoiler                // has the honest blocks, with other transactions in them
	rude                   // breaks the order of the handshake, or says a version that nobody wants
	gossip                 // tells addresses in the old form and the new, from the past and the future
	parrot                 // has honest headers, and answers each question with the first ones
	manners  = int(iota)
	veteran  = manner(manners) // downloads as clients did before headers came first: veteran_test.go
)

func (m manner) String() string {
	return [...]string{"boaster", "mute", "gibberer", "flooder", "churner", "forger", "spoiler", "rude", "gossip", "parrot", "veteran",
		"hoarder", "tardy", "changeling", "lacker", "orphaner", "cheat", "flood", "quitter", "courier"}[m]
}

// stranger is a node of the town with other code than ours: a cell that dials and admits,
// and a cell for each connection.
type stranger struct {
	how    manner
	addrs  []netip.AddrPort
	blocks []*wire.MsgBlock
	index  map[chainhash.Hash]int // of blocks
	dial   actor.Port[server.Dial, server.Dialed]
	full   int              // headers in a message
	learns func(blocks int) // what a veteran does when it has so many
	nags   bool             // a veteran that gets nothing asks again
	wrong  func(error)      // what the nodes do wrong
	market *market          // whose payments it announces; nil: it trades nothing
	sure   bool             // nothing that a gossip is told can be lost
	rng    *rand.Rand
	conns  int
	dials  int
	next   time.Time
}

// liarArg is what a stranger gives to a connection's cell.
type liarArg struct {
	conn    peer.ConnID
	inbound bool
}

// invite adds a stranger that talks about some blocks.
func (c *town) invite(how manner, blocks []*wire.MsgBlock) *stranger {
	var ep, sp actor.Ports
	admit := actor.Connect[server.Admit](&ep, "net.admit", actor.Ref[server.Server](node.Server), 1, 10*time.Second)
	adapter := c.net.Adapter(c.addrs[len(c.adapters)], admit)
	boss := &stranger{how: how, wrong: c.accuse, blocks: blocks, full: c.full, rng: c.seeded(),
		dial: actor.Connect[server.Dial](&sp, "stranger.dial", actor.Ref[server.Sockets](node.Transport), 2, time.Minute)}
	boss.index = map[chainhash.Hash]int{}
	for i, b := range blocks {
		boss.index[b.BlockHash()] = i
	}
	for i, a := range c.addrs {
		if i != len(c.adapters) {
			boss.addrs = append(boss.addrs, a)
		}
	}
	credit := cell.Credit{Msgs: 16, Bytes: 1 << 20}
	if how == flooder {
		credit = cell.Credit{}
	}
	plan := &cell.Plan{
		Cells: []cell.Static{{ID: node.Server, Name: how.String(), Ports: sp.Specs, Build: func(uint32) actor.Machine { return boss }}},
		Kinds: []cell.Kind{{
			Kind: bus.Kind{ID: server.KindPeer, Name: "liar", Seats: 8}, Parent: node.Server, Control: 1, Latest: 1, Credit: credit, Stop: 1,
			Build: func(_ actor.ID, arg any) actor.Machine {
				l := &liar{stranger: *boss, liarArg: arg.(liarArg), rng: c.seeded()}
				l.breach = breach(l.rng.IntN(breaches))
				return l
			},
		}},
	}
	part := sim.Part{ID: node.Transport, Name: "net", Ports: ep.Specs, Build: func() actor.Machine { return adapter }}
	traced(c.World, how.String(), plan)
	c.guests++
	c.adapters, c.homes = append(c.adapters, adapter), append(c.homes, nil)
	c.homes[len(c.homes)-1] = c.Add(how.String(), plan, part)
	adapter.Cells, adapter.ID = c.homes[len(c.homes)-1], node.Transport
	return boss
}

func (s *stranger) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start, actor.Tick:
		if addr := s.addrs[s.rng.IntN(len(s.addrs))]; s.conns+s.dials < 4 {
			if _, ok := s.dial.Ask(out, 0, server.Dial{Addr: addr}); ok {
				s.dials++
			}
		}
		pause := 30 * time.Second
		if s.how == churner {
			pause = 5 * time.Second
		}
		s.next = now.Add(1 + time.Duration(s.rng.Int64N(int64(pause))))
	case actor.Stop:
		out.Finish("stopped")
	case server.Dialed:
		s.dials--
		if b.Err == "" && in.Err == nil {
			if _, ok := s.spawn(liarArg{conn: b.Conn}, out); !ok {
				out.Tell(node.Transport, server.Refuse{Conn: b.Conn})
			}
		}
	case server.Admit:
		id, _ := s.spawn(liarArg{conn: b.Conn, inbound: true}, out)
		b.Call(in).Answer(out, server.Admitted{Peer: id})
	case actor.Ended:
		s.conns--
	}
}

func (s *stranger) spawn(arg liarArg, out *actor.Outbox) (actor.ID, bool) {
	id, ok := out.Spawn(server.KindPeer, arg)
	if ok {
		s.conns++
	}
	return id, ok
}

func (s *stranger) Deadline() time.Time { return s.next }
func (s *stranger) Check() error        { return nil }

// liar is one connection of a stranger.
type liar struct {
	stranger
	liarArg
	rng   *rand.Rand
	ends  time.Time // when a churner goes
	acts  time.Time // when it says something unasked again
	acted int
	breach
	learned
	trader
	ordeal
}

func (l *liar) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		out.Tell(node.Transport, peer.Bind{Conn: l.conn})
		if l.how == churner {
			l.ends = now.Add(time.Duration(l.rng.Int64N(int64(3 * time.Second))))
		}
		if !l.inbound || l.how == flooder {
			l.introduce(now, out)
		}
		if l.how == flooder {
			l.say(out, &wire.MsgVerAck{}) // it never reads ours
			l.acts = now.Add(time.Second)
		}
	case actor.Tick:
		l.bear(now)
		switch {
		case !l.ends.IsZero() && !l.ends.After(now):
			l.leave(out, "bored")
		case !l.acts.IsZero() && !l.acts.After(now):
			l.act(now, out)
		}
	case peer.Received:
		l.hear(now, b.Msg, out)
	case peer.EOF:
		l.leave(out, b.Reason)
	case peer.Broken:
		l.leave(out, b.Reason)
	case actor.Stop:
		l.leave(out, "stopped")
	}
}

func (l *liar) leave(out *actor.Outbox, why string) {
	out.Tell(node.Transport, peer.Close{Conn: l.conn})
	out.Finish(why)
}

func (l *liar) Deadline() time.Time {
	var next actor.Earliest
	next.Add(l.ends, l.acts, l.due)
	return next.At()
}

func (l *liar) version(now time.Time) wire.Message {
	v := wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, l.rng.Uint64(), int32(l.rng.IntN(1_000_000)))
	v.Services, v.Timestamp = node.Services, now.Truncate(time.Second)
	return v
}

// say writes a message.
func (l *liar) say(out *actor.Outbox, msg wire.Message) {
	payload, err := peer.Encode(msg, wire.ProtocolVersion)
	if err != nil {
		panic(err)
	}
	out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: msg.Command(), Payload: payload})
}

// hear answers as much as the manner allows.
func (l *liar) hear(now time.Time, msg wire.Message, out *actor.Outbox) {
	switch m := msg.(type) {
	case *wire.MsgVersion:
		l.node = m.UserAgent == userAgent
		if l.inbound {
			l.introduce(now, out)
		}
		l.modern(out)
		l.say(out, &wire.MsgVerAck{})
	case *wire.MsgVerAck:
		l.greeted(now, out)
	case *wire.MsgPing:
		if l.how != mute {
			l.say(out, wire.NewMsgPong(m.Nonce))
		}
	case *wire.MsgGetHeaders:
		l.queried(now)
		if l.how != mute {
			l.headers(m, out)
		}
	case *wire.MsgGetData:
		l.data(m, out)
		if l.how.trades() {
			l.deal(now, m, out)
		}
	case *wire.MsgAddr, *wire.MsgAddrV2:
		l.due = time.Time{}
	default:
		switch m := msg.(type) {
		case *wire.MsgInv:
			if l.how.trades() {
				l.overhear(m, out)
			}
		case *wire.MsgTx:
			l.unwrap(m)
		}
		if l.how == veteran {
			l.study(msg, out)
		}
	}
}

// headers answers a getheaders from the stranger's chain.
func (l *liar) headers(m *wire.MsgGetHeaders, out *actor.Outbox) {
	from := 0
	for _, hash := range m.BlockLocatorHashes {
		if i, ok := l.index[*hash]; ok {
			from = i + 1
			break
		}
	}
	if l.how == parrot {
		from = 0
	}
	a := &wire.MsgHeaders{}
	for _, b := range l.blocks[from:min(len(l.blocks), from+l.full)] {
		a.Headers = append(a.Headers, &b.Header)
	}
	l.say(out, a)
}

// data answers a getdata, if the manner is to answer.
func (l *liar) data(m *wire.MsgGetData, out *actor.Outbox) {
	if l.how != forger && l.how != spoiler {
		return
	}
	for _, inv := range m.InvList {
		i, ok := l.index[inv.Hash]
		if !ok {
			continue
		}
		b := l.blocks[i]
		if l.how == spoiler {
			b = &wire.MsgBlock{Header: b.Header, Transactions: []*wire.MsgTx{b.Transactions[0].Copy()}}
			b.Transactions[0].LockTime++
		}
		l.say(out, b)
	}
}

// act says something unasked.
func (l *liar) act(now time.Time, out *actor.Outbox) {
	if l.how.trades() {
		l.trade(now, out)
		return
	}
	l.acted++
	l.acts = now.Add(1 + time.Duration(l.rng.Int64N(int64(time.Second))))
	if l.how == veteran {
		l.acts = now.Add(time.Minute)
		l.nag(out)
		return
	}
	if l.how == flooder {
		l.say(out, l.wants(50))
		l.say(out, &wire.MsgGetHeaders{ProtocolVersion: wire.ProtocolVersion})
		l.say(out, l.invs(50))
		if l.acted == 40 {
			l.acts = time.Time{}
		}
		return
	}
	l.gibber(out)
}

// gibber says one of the things that make no sense.
func (l *liar) gibber(out *actor.Outbox) {
	lost := fake.Mine(l.hash(), genesis.Header.Timestamp, bits, l.rng.Uint64(), 300)
	switch l.rng.IntN(16) {
	case 0:
		l.say(out, &wire.MsgHeaders{Headers: []*wire.BlockHeader{&lost.Header}})
	case 1:
		l.say(out, l.invs(20))
	case 2:
		l.say(out, lost)
	case 3:
		l.say(out, l.wants(20))
	case 4:
		h := l.hash()
		l.say(out, &wire.MsgGetBlocks{ProtocolVersion: wire.ProtocolVersion, BlockLocatorHashes: []*chainhash.Hash{&h}})
	case 5:
		l.say(out, &wire.MsgNotFound{InvList: l.invs(5).InvList})
	case 6:
		l.say(out, &wire.MsgHeaders{})
	case 7:
		l.say(out, wire.NewMsgPong(l.rng.Uint64()))
	case 8:
		out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: "ping", Payload: make([]byte, l.rng.IntN(12))})
	case 9:
		out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: "gibberish", Payload: []byte{1}})
	case 10:
		out.Tell(node.Transport, fake.Garble{Conn: l.conn})
	case 11:
		l.say(out, &wire.MsgNotFound{InvList: l.invs(6000).InvList})
	case 12:
		l.say(out, wire.NewMsgFeeFilter(-1))
	case 13:
		h := l.hash()
		l.say(out, &wire.MsgInv{InvList: []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &h)}})
	case 14:
		l.say(out, lost.Transactions[0])
	case 15: // these end the connection, so they come seldom
		switch l.rng.IntN(8) {
		case 0:
			out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: wire.CmdInv, Payload: []byte{5}})
		case 1:
			out.Tell(node.Transport, peer.Write{Conn: l.conn, Command: wire.CmdMemPool})
		}
	}
}

func (l *liar) hash() (h chainhash.Hash) {
	for i := range h {
		h[i] = byte(l.rng.Uint32())
	}
	return h
}

// invs announces blocks that do not exist, wants asks for blocks of the chain.
func (l *liar) invs(n int) *wire.MsgInv {
	m := wire.NewMsgInv()
	for range n {
		h := l.hash()
		m.InvList = append(m.InvList, wire.NewInvVect(wire.InvTypeBlock, &h))
	}
	return m
}

func (l *liar) wants(n int) *wire.MsgGetData {
	m := wire.NewMsgGetData()
	for range n {
		h := l.blocks[l.rng.IntN(len(l.blocks))].BlockHash()
		m.InvList = append(m.InvList, wire.NewInvVect(wire.InvTypeWitnessBlock, &h))
	}
	return m
}
