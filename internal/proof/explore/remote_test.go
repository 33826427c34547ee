package explore

import (
	"net/netip"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// remote is one connection, and the peer behind it.
type remote struct {
	manner
	State   remoteState
	Peer    actor.ID
	Over    bool         // the remote peer has hung up
	Closed  bool         // the node has
	Broke   bool         // it has broken the framing
	Barred  bool         // it came from a host that was banned
	Written peer.Flushed // what Flushed will say
	Flushed peer.Flushed
	Told    int    // blocks or transactions announced to it
	Asked   bool   // it was asked for a transaction
	Owes    []owed // what it was asked for, the oldest first
}

// manner is how a remote peer is. The zero manner answers nothing and serves nothing.
type manner struct {
	Serves    bool     // it answers getheaders and getdata
	Pongs     bool     // it answers pings
	Has       int      // the last block of its chain
	Withholds bool     // ... of which it sends the headers only
	Lacks     int      // how often it says notfound instead
	Alters    int      // how often it sends an altered block instead
	Grows     []int    // what will be the last block of its chain, one after the other
	Shows     string   // by what it announces that: headers, inv, block or lone (the last header)
	Script    []string // what it says by itself
	Sells     bool     // it answers getdata for transactions
	Slow      bool     // it reads in a separate move
	Stays     bool     // it does not hang up
	Rude      bool     // it may break the framing, which is a fault
	Late      bool     // it does not come in the run-up
	Dialled   bool     // it does not come, and is in the address book
	Host      byte     // it has the same address as others of the same host; zero: its own
}

type remoteState uint8

const (
	away    remoteState = iota
	waiting             // for the listener to be admitted, or to be claimed
	bound               // its cell has claimed it
	shaken              // it has shaken hands
)

// owed is one answer that a remote peer owes.
type owed struct {
	What owing
	N    int    // the block or transaction asked for; the block behind which headers were asked for
	Ping uint64 // the nonce
}

type owing uint8

const (
	owesHeaders owing = iota
	owesBlock
	owesPong
	owesTx
)

func (r *remote) address(i int) netip.AddrPort {
	if r.Host != 0 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, r.Host, 0, 1}), uint16(18444+i))
	}
	return address(i)
}

// says lists what a remote peer may say now.
func (r *remote) says(id actor.ID, all []Move) []Move {
	if r.State == bound {
		return append(all, Move{Act, id, handshakes})
	}
	if len(r.Script) > 0 {
		all = append(all, Move{Act, id, speaks})
	}
	if len(r.Grows) > 0 {
		all = append(all, Move{Act, id, grows})
	}
	if i := r.firstBlock(); i >= 0 && !r.Withholds {
		if r.Lacks > 0 {
			all = append(all, Move{Act, id, lacks})
		}
		if r.Alters > 0 {
			all = append(all, Move{Act, id, alters})
		}
	}
	for k, o := range r.Owes {
		if o.What != owesBlock || !r.Withholds {
			all = append(all, Move{Act, id, answers + int64(k)})
		}
	}
	return all
}

// firstBlock is the position of the first block that it owes, or -1.
func (r *remote) firstBlock() int {
	for k, o := range r.Owes {
		if o.What == owesBlock {
			return k
		}
	}
	return -1
}

func (r *remote) take(k int) owed {
	o := r.Owes[k]
	r.Owes = append(r.Owes[:k:k], r.Owes[k+1:]...)
	if len(r.Owes) == 0 {
		r.Owes = nil
	}
	return o
}

// hear takes what the node says.
func (r *remote) hear(msg wire.Message) {
	switch m := msg.(type) {
	case *wire.MsgInv, *wire.MsgHeaders:
		r.Told++
	case *wire.MsgPing:
		if r.Pongs {
			r.Owes = append(r.Owes, owed{What: owesPong, Ping: m.Nonce})
		}
	case *wire.MsgGetHeaders:
		if r.Serves {
			r.Owes = append(r.Owes, owed{What: owesHeaders, N: start(r.Has, m.BlockLocatorHashes)})
		}
	case *wire.MsgGetData:
		for _, v := range m.InvList {
			if i := slices.IndexFunc(txNames[:], func(id chain.TxID) bool { return id.TxID == v.Hash }); i >= 0 {
				if r.Asked = true; r.Sells {
					r.Owes = append(r.Owes, owed{What: owesTx, N: i})
				}
			} else if r.Serves {
				r.Owes = append(r.Owes, owed{What: owesBlock, N: numbers[v.Hash]})
			}
		}
	}
}

// speak makes a move with words.
func (r *remote) speak(move int64) []wire.Message {
	switch move {
	case handshakes:
		r.State = shaken
		return []wire.Message{hello, wire.NewMsgVerAck()}
	case speaks:
		words := r.Script[0]
		r.Script = r.Script[1:]
		return []wire.Message{phrases[words]}
	case grows:
		was := r.Has
		r.Has, r.Grows = r.Grows[0], r.Grows[1:]
		return []wire.Message{r.announcement(was)}
	case lacks:
		r.Lacks--
		msg := wire.NewMsgNotFound()
		_ = msg.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &tree[r.take(r.firstBlock()).N].Hash)) // one always fits
		return []wire.Message{msg}
	case alters:
		r.Alters--
		return []wire.Message{changed[r.take(r.firstBlock()).N]}
	}
	switch o := r.take(int(move - answers)); o.What {
	case owesPong:
		return []wire.Message{wire.NewMsgPong(o.Ping)}
	case owesTx:
		return []wire.Message{txs[o.N]}
	case owesBlock:
		return []wire.Message{tree[o.N].block}
	default:
		list := branch(split(o.N, r.Has), r.Has)
		return []wire.Message{&wire.MsgHeaders{Headers: headersOf(list[:min(len(list), wire.MaxBlockHeadersPerMsg)])}}
	}
}

// announcement says that the chain of a remote peer has grown.
func (r *remote) announcement(was int) wire.Message {
	last := &tree[r.Has]
	switch r.Shows {
	case "inv":
		msg := wire.NewMsgInv()
		_ = msg.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &last.Hash)) // one always fits
		return msg
	case "block":
		return last.block
	case "lone":
		return &wire.MsgHeaders{Headers: headersOf([]int{r.Has})}
	}
	return &wire.MsgHeaders{Headers: headersOf(branch(split(was, r.Has), r.Has))}
}

// start is the block of the chain up to tip from which a locator leads on.
func start(tip int, locator []*chainhash.Hash) int {
	for _, h := range locator {
		if i, known := numbers[*h]; known && on(i, tip) {
			return i
		}
	}
	return genesis
}

var (
	hello = &wire.MsgVersion{ProtocolVersion: int32(wire.AddrV2Version), Services: wire.SFNodeNetwork | wire.SFNodeWitness,
		Timestamp: Epoch, Nonce: 7, UserAgent: "/remote/"}
	phrases = map[string]wire.Message{
		"sendheaders":  wire.NewMsgSendHeaders(),
		"headers":      wire.NewMsgHeaders(), // none: "I have nothing for you"
		"getheaders":   &wire.MsgGetHeaders{ProtocolVersion: wire.ProtocolVersion, BlockLocatorHashes: []*chainhash.Hash{regtest.GenesisHash}},
		"getblocks":    &wire.MsgGetBlocks{ProtocolVersion: wire.ProtocolVersion, BlockLocatorHashes: []*chainhash.Hash{&tree[a1].Hash}},
		"getdata":      getdata(wire.InvTypeWitnessBlock, a1),
		"getdata two":  getdata(wire.InvTypeBlock, a2, a3, a1),
		"getdata tx":   getdata(wire.InvTypeTx, a1),
		"scattered":    &wire.MsgHeaders{Headers: headersOf([]int{a1, a3})},
		"ping":         wire.NewMsgPing(5),
		"pong":         wire.NewMsgPong(5),
		"getaddr":      wire.NewMsgGetAddr(),
		"addr":         &wire.MsgAddr{AddrList: []*wire.NetAddress{wire.NewNetAddressTimestamp(Epoch, wire.SFNodeNetwork, []byte{8, 77, 0, 1}, 18444)}},
		"addrv2":       &wire.MsgAddrV2{AddrList: []*wire.NetAddressV2{wire.NetAddressV2FromBytes(Epoch.AddDate(0, 0, 1), wire.SFNodeNetwork, []byte{8, 78, 0, 1}, 18444)}},
		"long":         &wire.MsgGetHeaders{BlockLocatorHashes: make([]*chainhash.Hash, peer.MaxLocator+1)},
		"inv tx":       wire.NewMsgInv(),
		"inv a tx":     &wire.MsgInv{InvList: []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &txNames[0].TxID)}},
		"getdata a tx": &wire.MsgGetData{InvList: []*wire.InvVect{wire.NewInvVect(wire.InvTypeWitnessTx, &txNames[0].TxID)}},
	}
)

func getdata(t wire.InvType, blocks ...int) wire.Message {
	msg := wire.NewMsgGetData()
	for _, i := range blocks {
		_ = msg.AddInvVect(wire.NewInvVect(t, &tree[i].Hash)) // few always fit
	}
	return msg
}
