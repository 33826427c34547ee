package peer

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// txBench is a peer that is ready and may send us transactions.
func txBench(t *testing.T, wtxids bool) *bench {
	cfg := testConfig()
	cfg.WantTxs = true
	b := newBench(t, Arg{Inbound: true}, cfg)
	b.receive(theirVersion())
	if wtxids {
		b.receive(&wire.MsgWTxIdRelay{})
	}
	b.receive(&wire.MsgVerAck{})
	b.Drop()
	return b
}

// aTx is a transaction with witness data.
func aTx(n uint32) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{Sequence: n, Witness: wire.TxWitness{{1, 2, 3}}})
	tx.AddTxOut(&wire.TxOut{Value: 1})
	return tx
}

func inv(t wire.InvType, n byte) *wire.InvVect {
	h := hashOf(n)
	return wire.NewInvVect(t, &h)
}

func TestATransactionGoesToRelay(t *testing.T) {
	b := txBench(t, true)
	tx := aTx(7)
	b.receive(tx)
	got := steptest.Want[TxReceived](b.Rig, "relay judges it")
	if got.Peer != self || got.Tx != tx || got.TxID != tx.TxHash() || got.WTxID != tx.WitnessHash() || got.TxID == got.WTxID {
		t.Errorf("%+v", got)
	}
	b.says("and nothing else comes of it")

	in := received(t, tx)
	for _, memory := range []int{0, in.Bytes, 10 * in.Bytes} { // never said to be less than its bytes
		in.Memory = memory
		b.GiveFrom(adapter, in)
		if got := steptest.Want[TxReceived](b.Rig, "a transaction"); got.Memory != max(in.Bytes, memory) {
			t.Errorf("%d bytes that take %d: memory %d", in.Bytes, memory, got.Memory)
		}
	}
}

// Which entries of an inv count depends on what was negotiated (BIP339).
func TestWhichTransactionsOfAnInvCount(t *testing.T) {
	list := []*wire.InvVect{
		inv(wire.InvTypeTx, 1), inv(InvTypeWTx, 2), inv(wire.InvTypeWitnessTx, 3),
		inv(wire.InvTypeBlock, 4), inv(InvTypeWTx, 5), inv(wire.InvTypeTx, 6), inv(99, 7),
	}
	for _, c := range []struct {
		wtxids bool
		want   []TxName
	}{
		{false, []TxName{{hashOf(1), false}, {hashOf(6), false}}},
		{true, []TxName{{hashOf(2), true}, {hashOf(5), true}}},
	} {
		b := txBench(t, c.wtxids)
		b.receive(&wire.MsgInv{InvList: list})
		if i := steptest.Want[InvReceived](b.Rig, "blocks go to sync"); !slices.Equal(i.Blocks, []chainhash.Hash{hashOf(4)}) {
			t.Errorf("blocks %v", i.Blocks)
		}
		steptest.Want[Announced](b.Rig, "and relay hears that the peer has them")
		if a := steptest.Want[TxsAnnounced](b.Rig, "transactions go to relay"); !slices.Equal(a.Txs, c.want) || a.Peer != self {
			t.Errorf("wtxids %v: %v, want %v", c.wtxids, a.Txs, c.want)
		}
		b.says("that is all")

		before := b.m.ignored
		b.receive(&wire.MsgInv{InvList: []*wire.InvVect{inv(wire.InvTypeWitnessTx, 3)}})
		if b.says("the type of a getdata alone"); b.m.ignored != before+1 {
			t.Error("it is not counted as ignored")
		}
	}
}

func TestTransactionsThatThePeerDoesNotHave(t *testing.T) {
	b := txBench(t, true)
	b.receive(&wire.MsgNotFound{InvList: []*wire.InvVect{
		inv(InvTypeWTx, 1), inv(wire.InvTypeWitnessTx, 2), inv(wire.InvTypeTx, 3), inv(wire.InvTypeBlock, 4), inv(99, 5), inv(98, 6),
	}})
	want := []TxName{{hashOf(1), true}, {hashOf(2), false}, {hashOf(3), false}}
	if n := steptest.Want[TxsNotFound](b.Rig, "relay knows what was asked for"); !slices.Equal(n.Txs, want) || n.Peer != self {
		t.Errorf("%v, want %v", n.Txs, want)
	}
	b.says("the block was not asked for")
}

func TestFeeFilterIsAnAmountOfMoney(t *testing.T) {
	b := txBench(t, true)
	for _, c := range []struct {
		rate int64
		ok   bool
	}{{0, true}, {1000, true}, {btcutil.MaxSatoshi, true}, {btcutil.MaxSatoshi + 1, false}, {-1, false}} {
		before := b.m.minFee
		b.receive(&wire.MsgFeeFilter{MinFee: c.rate})
		if c.ok {
			if f := steptest.Want[FeeFilter](b.Rig, "relay is told"); f.Rate != c.rate || f.Peer != self {
				t.Errorf("%+v, want %d", f, c.rate)
			}
			before = c.rate
		}
		b.says("nothing else")
		if got := steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "the figures").MinFee; got != before {
			t.Errorf("after %d getpeerinfo shows %d, want %d", c.rate, got, before)
		}
	}
}

// Who sends transactions that we asked not to be sent is disconnected, and so is who
// asks for a service that we do not offer. It is no fault.
func TestTransactionsThatNobodyWanted(t *testing.T) {
	txInv := &wire.MsgInv{InvList: []*wire.InvVect{inv(wire.InvTypeTx, 1)}}
	otherInv := &wire.MsgInv{InvList: []*wire.InvVect{inv(InvTypeWTx, 1)}}
	for _, c := range []struct {
		why       string
		wants     bool
		blockOnly bool
		msg       wire.Message
		ends      bool
	}{
		{"a transaction", true, false, aTx(1), false},
		{"... with --blocksonly", false, false, aTx(1), true},
		{"... on a connection for blocks", true, true, aTx(1), true},
		{"an inv", true, false, txInv, false},
		{"... with --blocksonly", false, false, txInv, true},
		{"... on a connection for blocks", true, true, txInv, true},
		{"... that has a block too", false, false, &wire.MsgInv{InvList: append(blockInvs(2), txInv.InvList...)}, true},
		{"... of the type that was not negotiated", false, false, otherInv, false},
		{"a notfound harms nobody", false, false, &wire.MsgNotFound{InvList: txInv.InvList}, false},
		{"a feefilter harms nobody", false, false, &wire.MsgFeeFilter{MinFee: 1}, false},
		{"mempool", true, false, &wire.MsgMemPool{}, true},
		{"... with --blocksonly", false, false, &wire.MsgMemPool{}, true},
		{"filterload", true, false, wire.NewMsgFilterLoad([]byte{1}, 1, 1, wire.BloomUpdateNone), true},
		{"filteradd", true, false, wire.NewMsgFilterAdd([]byte{1}), true},
		{"filterclear", true, false, &wire.MsgFilterClear{}, true},
		{"getcfilters", true, false, &wire.MsgGetCFilters{}, true},
		{"getcfheaders", true, false, &wire.MsgGetCFHeaders{}, true},
		{"getcfcheckpt", true, false, &wire.MsgGetCFCheckpt{}, true},
		{"an answer to what nobody asked", true, false, &wire.MsgCFilter{Data: []byte{1}}, false},
	} {
		cfg := testConfig()
		cfg.WantTxs = c.wants
		b := newBench(t, Arg{BlockRelayOnly: c.blockOnly}, cfg)
		b.receive(theirVersion())
		b.receive(&wire.MsgVerAck{})
		b.Drop()
		b.receive(c.msg)
		if ended := b.m.state == gone; ended != c.ends {
			t.Errorf("%s: ended %v, want %v", c.why, ended, c.ends)
		}
		if c.ends {
			if g, _ := steptest.WantEffect[Gone](b.Rig, actor.Publish, c.why); g.Fault || g.Reason == "" {
				t.Errorf("%s: %+v: there must be a reason, and it is no fault", c.why, g)
			}
			b.says(c.why+": nobody hears of it", "close", "finish")
		}
	}
}
