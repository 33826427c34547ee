package peer

import (
	"bytes"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestBlockAskedForAndNot(t *testing.T) {
	b := readyBench(t, false, testConfig())
	block, msg := aBlock(1), wire.NewMsgGetData()
	hash := block.BlockHash()
	msg.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &hash))
	b.Ask(Send{Msgs: []wire.Message{msg}})
	b.Drop()

	b.receive(block)
	got := steptest.Want[BlockReceived](b.Rig, "it arrives")
	if !got.Asked || got.Hash != hash || got.Header != block.Header || !bytes.Equal(got.Payload, mustEncode(t, block)) || got.Peer != self {
		t.Errorf("got %+v", got)
	}
	if a := steptest.Want[Announced](b.Rig, "relay need not announce it back"); !slices.Equal(a.Blocks, []chainhash.Hash{hash}) {
		t.Errorf("announced %v", a.Blocks)
	}
	b.receive(block)
	if got := steptest.Want[BlockReceived](b.Rig, "passed on a second time"); got.Asked {
		t.Error("asked for once, arrived twice: the second was not asked for")
	}
	b.Drop()
	b.receive(aBlock(2))
	if got := steptest.Want[BlockReceived](b.Rig, "never asked for, passed on all the same"); got.Asked {
		t.Error("it was not asked for")
	}
}

// getHeaders asks for what comes behind some blocks. The headers of tests begin behind a
// block of hash zero.
func getHeaders(behind ...chainhash.Hash) *wire.MsgGetHeaders {
	msg := &wire.MsgGetHeaders{BlockLocatorHashes: []*chainhash.Hash{{}}}
	for i := range behind {
		msg.BlockLocatorHashes = append(msg.BlockLocatorHashes, &behind[i])
	}
	return msg
}

// A peer that is two seconds away announces blocks before it answers a getheaders. What
// answers it is told by what it begins with.
func TestAnAnnouncementIsNoAnswer(t *testing.T) {
	b := readyBench(t, false, testConfig())
	common, tip := chainhash.Hash{1}, chainhash.Hash{2}
	b.Ask(Send{Msgs: []wire.Message{getHeaders(common)}})
	b.Drop()
	for _, c := range []struct {
		why     string
		headers []*wire.BlockHeader
		asked   bool
	}{
		{"a block on its tip", []*wire.BlockHeader{{PrevBlock: tip}}, false},
		{"two more", []*wire.BlockHeader{{PrevBlock: chainhash.Hash{3}}, {PrevBlock: common}}, false},
		{"what comes behind the common block", []*wire.BlockHeader{{PrevBlock: common}, {PrevBlock: tip}}, true},
		{"the same once more", []*wire.BlockHeader{{PrevBlock: common}}, false},
		{"nothing, and nothing was asked", nil, false},
	} {
		b.receive(&wire.MsgHeaders{Headers: c.headers})
		if got := steptest.Want[HeadersReceived](b.Rig, c.why).Asked; got != c.asked {
			t.Errorf("%s: asked for: %v, want %v", c.why, got, c.asked)
		}
		b.Drop()
	}
	b.Ask(Send{Msgs: []wire.Message{getHeaders(common), getHeaders(tip)}})
	b.Drop()
	b.receive(&wire.MsgHeaders{Headers: []*wire.BlockHeader{{PrevBlock: tip}}})
	if !steptest.Want[HeadersReceived](b.Rig, "the second answer").Asked {
		t.Error("it answers the second question")
	}
	b.Drop()
	b.receive(&wire.MsgHeaders{})
	if steptest.Want[HeadersReceived](b.Rig, "an empty one").Asked {
		t.Error("answers come in order, so the first question gets none any more")
	}
}

// Nobody has many questions open with one peer.
func TestOldQuestionsAreForgotten(t *testing.T) {
	b := readyBench(t, false, testConfig())
	for range maxOpen + 1 {
		b.Ask(Send{Msgs: []wire.Message{getHeaders()}})
	}
	b.Drop()
	if n := len(b.m.headers); n != 1 {
		t.Errorf("%d are remembered", n)
	}
}

func TestHeadersAskedForAndNot(t *testing.T) {
	b := readyBench(t, false, testConfig())
	headers := &wire.MsgHeaders{Headers: []*wire.BlockHeader{{Nonce: 1}, {Nonce: 2}}}
	take := func(why string) HeadersReceived {
		t.Helper()
		h := steptest.Want[HeadersReceived](b.Rig, why)
		b.Drop()
		return h
	}
	b.receive(headers)
	if take("an announcement").Asked {
		t.Error("there was no question")
	}
	b.Ask(Send{Msgs: []wire.Message{getHeaders(), getHeaders()}})
	b.Drop()
	for i, want := range []bool{true, true, false} {
		b.receive(headers)
		if got := take("an answer"); got.Asked != want || !reflect.DeepEqual(got.Headers, headers.Headers) {
			t.Errorf("answer %d to two getheaders: asked %v, want %v", i, got.Asked, want)
		}
	}
	b.Ask(Send{Msgs: []wire.Message{getHeaders()}})
	b.flushAll()
	b.Drop()
	b.Advance(2*time.Minute + time.Second)
	b.Drop()
	b.receive(headers)
	if take("long after").Asked {
		t.Error("what comes minutes later is an announcement")
	}
	b.receive(&wire.MsgHeaders{})
	if h := steptest.Want[HeadersReceived](b.Rig, "no headers are an answer too"); len(h.Headers) != 0 {
		t.Errorf("%d headers", len(h.Headers))
	}
	b.says("and announce nothing")
}

// At most the newest eight are told to relay.
func TestAnnouncedAreTheNewest(t *testing.T) {
	b := readyBench(t, false, testConfig())
	var msg wire.MsgHeaders
	var want []chainhash.Hash
	for i := range uint32(20) {
		h := &wire.BlockHeader{Nonce: i}
		msg.Headers = append(msg.Headers, h)
		want = append(want, h.BlockHash())
	}
	b.receive(&msg)
	if a := steptest.Want[Announced](b.Rig, "headers show what a peer knows"); !slices.Equal(a.Blocks, want[12:]) {
		t.Errorf("announced %v", a.Blocks)
	}
	b.Drop()
	b.receive(&wire.MsgInv{InvList: blockInvs(1, 2, 3, 4, 5, 6, 7, 8, 9)})
	if i := steptest.Want[InvReceived](b.Rig, "sync gets them all"); len(i.Blocks) != 9 || i.Blocks[0] != hashOf(1) {
		t.Errorf("inv %v", i.Blocks)
	}
	if a := steptest.Want[Announced](b.Rig, "so does an inv"); len(a.Blocks) != 8 || a.Blocks[7] != hashOf(9) {
		t.Errorf("announced %v", a.Blocks)
	}
}

func TestBlocksOfAMixedInv(t *testing.T) {
	b := txBench(t, true)
	h := hashOf(9)
	mixed := append(blockInvs(1), wire.NewInvVect(wire.InvTypeTx, &h), wire.NewInvVect(wire.InvTypeFilteredBlock, &h))
	b.receive(&wire.MsgInv{InvList: append(mixed, blockInvs(2)...)})
	if i := steptest.Want[InvReceived](b.Rig, "the blocks among them"); !slices.Equal(i.Blocks, []chainhash.Hash{hashOf(1), hashOf(2)}) {
		t.Errorf("inv %v", i.Blocks)
	}
}

func TestNotFound(t *testing.T) {
	b := readyBench(t, false, testConfig())
	b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetData{InvList: blockInvs(1, 2, 3)}}})
	b.Drop()
	b.receive(&wire.MsgNotFound{InvList: blockInvs(2, 7)})
	if n := steptest.Want[NotFoundReceived](b.Rig, "what was asked for and is not there"); !slices.Equal(n.Blocks, []chainhash.Hash{hashOf(2)}) {
		t.Errorf("not found: %v", n.Blocks)
	}
	b.receive(&wire.MsgNotFound{InvList: blockInvs(2)})
	b.says("once is enough")
	if !slices.Equal(b.m.blocks, []chainhash.Hash{hashOf(1), hashOf(3)}) {
		t.Errorf("still asked for: %v", b.m.blocks)
	}
}

// The set of blocks asked for agrees with a naive one: the newest few.
func TestAskedBlocksAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New(self, Arg{}, testConfig(), Ports{Adapter: adapter}, topics, nil)
		var oracle []byte
		without := func(n byte) []byte {
			return slices.DeleteFunc(slices.Clone(oracle), func(x byte) bool { return x == n })
		}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			n := rapid.ByteRange(0, 9).Draw(t, "block")
			if rapid.Bool().Draw(t, "ask") {
				oracle = append(without(n), n)
				oracle = oracle[max(0, len(oracle)-m.cfg.AskedBlocks):]
				m.noteAsked(steptest.Epoch, &wire.MsgGetData{InvList: blockInvs(n)})
			} else {
				want := slices.Contains(oracle, n)
				oracle = without(n)
				if got := m.takeBlock(hashOf(n)); got != want {
					t.Fatalf("block %d: asked %v, want %v", n, got, want)
				}
			}
			if err := m.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRequestsGoToRelay(t *testing.T) {
	b := readyBench(t, true, testConfig())
	locator, stop := []*chainhash.Hash{{1}, {2}}, hashOf(9)
	b.receive(&wire.MsgGetHeaders{BlockLocatorHashes: locator, HashStop: stop})
	if w := steptest.Want[HeadersWanted](b.Rig, "getheaders"); w.Peer != self || w.Stop != stop || !reflect.DeepEqual(w.Locator, locator) {
		t.Errorf("%+v", w)
	}
	b.receive(&wire.MsgGetBlocks{BlockLocatorHashes: locator, HashStop: stop})
	if w := steptest.Want[BlocksWanted](b.Rig, "getblocks"); w.Peer != self || w.Stop != stop || !reflect.DeepEqual(w.Locator, locator) {
		t.Errorf("%+v", w)
	}
	b.receive(&wire.MsgGetData{InvList: blockInvs(1, 2)})
	want := []wire.InvVect{{Type: wire.InvTypeBlock, Hash: hashOf(1)}, {Type: wire.InvTypeBlock, Hash: hashOf(2)}}
	if w := steptest.Want[DataWanted](b.Rig, "getdata"); w.Peer != self || !slices.Equal(w.Items, want) {
		t.Errorf("%+v", w)
	}
	b.says("each is one event")
}

func TestLocatorBound(t *testing.T) {
	for _, make := range []func(l []*chainhash.Hash) wire.Message{
		func(l []*chainhash.Hash) wire.Message { return &wire.MsgGetHeaders{BlockLocatorHashes: l} },
		func(l []*chainhash.Hash) wire.Message { return &wire.MsgGetBlocks{BlockLocatorHashes: l} },
	} {
		b := readyBench(t, true, testConfig())
		b.receive(make(slices.Repeat([]*chainhash.Hash{{}}, 101)))
		if len(b.Pending()) != 1 {
			t.Errorf("101 hashes are allowed: %v", b.Pending())
		}
		b.Drop()
		b.receive(make(slices.Repeat([]*chainhash.Hash{{}}, 102)))
		if g := steptest.Want[Gone](b.Rig, "102 are not"); g.Fault || !strings.Contains(g.Reason, "locator of 102") {
			t.Errorf("gone: %+v", g)
		}
		b.says("and no component is asked to answer", "close", "finish")
	}
}

func TestAddressesGoToTheServer(t *testing.T) {
	b := readyBench(t, true, testConfig())
	seen := time.Unix(1_600_000_000, 0)
	b.receive(&wire.MsgAddr{AddrList: []*wire.NetAddress{
		{Timestamp: seen, Services: 9, IP: net.IPv4(192, 0, 2, 1), Port: 18333},
		{Timestamp: seen, Services: 1, IP: net.ParseIP("2001:db8::1"), Port: 8333},
	}})
	a := steptest.Want[AddrsReceived](b.Rig, "addr, in the form of addrv2")
	var have []string
	for _, na := range a.Addrs {
		have = append(have, fmt.Sprintf("%v %d %d %v", na.Addr, na.Port, na.Services, na.Timestamp.Equal(seen)))
	}
	if want := []string{"192.0.2.1 18333 9 true", "2001:db8::1 8333 1 true"}; !slices.Equal(have, want) {
		t.Errorf("have %q", have)
	}
	v2 := &wire.MsgAddrV2{AddrList: a.Addrs}
	b.receive(v2)
	if got := steptest.Want[AddrsReceived](b.Rig, "addrv2"); !reflect.DeepEqual(got.Addrs, v2.AddrList) || got.Peer != self {
		t.Errorf("%+v", got)
	}
	b.receive(&wire.MsgGetAddr{})
	steptest.Want[AddrsWanted](b.Rig, "getaddr")
	b.says("that is all")
}

// A message in which there is nothing for us is counted, keeps the peer alive, and does
// nothing else.
func TestIgnoredMessages(t *testing.T) {
	b := readyBench(t, true, testConfig())
	before := b.m.ignored
	msgs := []wire.Message{&wire.MsgInv{}, &wire.MsgFeeFilter{MinFee: -1}, &wire.MsgPong{Nonce: 1}}
	for _, msg := range msgs {
		b.Now = b.Now.Add(time.Second)
		b.receive(msg)
	}
	b.says("no component reads these")
	if n := b.m.ignored - before; n != uint64(len(msgs)) || !b.m.lastRecv.Equal(b.Now) {
		t.Errorf("%d are counted, the last at %v", n, b.m.lastRecv)
	}
}

// L5: traffic rides on the credit of the message that caused it: never more
// than MaxFanout pieces, and never in another step.
func TestL5TrafficRidesOnItsMessage(t *testing.T) {
	cfg := testConfig()
	cfg.WantTxs = true
	b := readyBench(t, true, cfg)
	for _, msg := range []wire.Message{
		&wire.MsgHeaders{Headers: []*wire.BlockHeader{{}}}, aBlock(1), &wire.MsgInv{InvList: append(blockInvs(1), inv(wire.InvTypeTx, 2))},
		aTx(1), &wire.MsgFeeFilter{MinFee: 1}, &wire.MsgNotFound{InvList: []*wire.InvVect{inv(InvTypeWTx, 2)}},
		&wire.MsgGetHeaders{}, &wire.MsgGetBlocks{}, &wire.MsgGetData{}, &wire.MsgGetAddr{}, &wire.MsgAddrV2{}, &wire.MsgSendHeaders{},
	} {
		b.receive(msg)
		if n := published(b); n < 1 || n > actor.MaxFanout {
			t.Errorf("%s: %d events", msg.Command(), n)
		}
		b.Drop()
	}
	b.Ask(GetInfo{})
	b.Ask(payload(500))
	b.flushAll()
	b.Advance(2 * time.Minute)
	if n := published(b); n != 0 {
		t.Errorf("%d events without a message", n)
	}
}

func published(b *bench) (n int) {
	for _, e := range b.Pending() {
		if e.Kind == actor.Publish {
			n++
		}
	}
	return n
}

// A getheaders that was not answered in time is forgotten, so what answers the next one
// is one answer, and what comes after that was not asked for.
func TestAnExpiredGetheadersIsForgotten(t *testing.T) {
	cfg := testConfig()
	cfg.PingEvery = time.Hour
	b := readyBench(t, false, cfg)
	ask := func() {
		b.Ask(Send{Msgs: []wire.Message{getHeaders()}})
		b.flushAll()
		b.Drop()
	}
	asked := func() bool {
		b.receive(&wire.MsgHeaders{Headers: []*wire.BlockHeader{{Nonce: 1}}})
		return steptest.Want[HeadersReceived](b.Rig, "headers").Asked
	}
	ask()
	b.Advance(cfg.HeadersWithin)
	if !asked() {
		t.Error("within two minutes it is the answer")
	}
	ask()
	b.Advance(cfg.HeadersWithin + 1)
	if asked() {
		t.Error("after two minutes it is an announcement")
	}
	ask()
	if !asked() || asked() {
		t.Error("one question, one answer: the old one is forgotten")
	}
}

// A notfound may name as much as can have been asked for: four blocks and three
// transactions. A longer one is noise as a whole.
func TestALongNotFoundIsNoise(t *testing.T) {
	b := readyBench(t, false, testConfig())
	b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetData{InvList: blockInvs(1, 2)}}})
	b.Drop()
	b.receive(&wire.MsgNotFound{InvList: blockInvs(1, 7, 8, 9, 10, 11, 12, 13)})
	b.says("eight")
	b.receive(&wire.MsgNotFound{InvList: blockInvs(1, 7, 8, 9, 10, 11, 12)})
	if n := steptest.Want[NotFoundReceived](b.Rig, "seven"); len(n.Blocks) != 1 {
		t.Errorf("%d blocks", len(n.Blocks))
	}
}
