package peer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// Every way a ready peer can end, and whether it is at fault.
func TestEndsOfAReadyPeer(t *testing.T) {
	for _, c := range []struct {
		why    string
		in     any
		reason string
		fault  bool
	}{
		{"the other side closes", EOF{Reason: "closed by the other side"}, "closed by the other side", false},
		{"the framing is broken", EOF{Reason: "wrong magic", Fault: true}, "wrong magic", true},
		{"it does not read", Broken{Reason: "does not read"}, "does not read", false},
		{"the node stops", actor.Stop{}, "the node is stopping", false},
		{"a component died of its message", actor.End{Reason: "relay died of what it sent"}, "relay died of what it sent", false},
	} {
		b := readyBench(t, true, testConfig())
		b.Give(c.in)
		g := steptest.Want[Gone](b.Rig, c.why)
		if want := (Gone{Peer: self, Remote: remote, Reason: c.reason, Fault: c.fault}); g != want {
			t.Errorf("%s: %+v, want %+v", c.why, g, want)
		}
		b.says(c.why, "close", "finish")
		b.Give(c.in)
		b.receive(&wire.MsgPing{})
		b.says("nothing follows the end")
		if !b.m.Deadline().IsZero() {
			t.Errorf("%s: a peer that is gone has a deadline", c.why)
		}
	}
}

func TestOrderToEnd(t *testing.T) {
	b := readyBench(t, false, testConfig())
	b.Give(actor.End{Reason: "a header without work", Fault: true})
	if g := steptest.Want[Gone](b.Rig, "it is gone"); !g.Fault || g.Reason != "a header without work" {
		t.Errorf("gone: %+v", g)
	}
	b.says("what is queued is still written", "close", "finish")
}

// Without a Ready there is no Gone.
func TestEndBeforeReady(t *testing.T) {
	for _, in := range []any{EOF{Reason: "x", Fault: true}, Broken{}, actor.Stop{}} {
		b := newBench(t, Arg{Inbound: true}, testConfig())
		b.Drop()
		b.Give(in)
		b.says("no component knows this peer", "close", "finish")
	}
}

func TestCrashedPeerIsNotContinued(t *testing.T) {
	m := New(self, Arg{Conn: conn}, testConfig(), Ports{Adapter: adapter}, topics, rand.New(rand.NewPCG(1, 2)))
	out := actor.NewOutbox(nil)
	out.Begin(steptest.Epoch)
	m.Step(steptest.Epoch, actor.Input{Body: actor.Start{Generation: 1}}, out)
	var have []string
	for _, e := range out.Effects() {
		if e.Kind != actor.Log {
			have = append(have, spell(t, e))
		}
	}
	if fmt.Sprint(have) != "[bind close finish]" {
		t.Errorf("a rebuilt peer says %v; what was written before is unknown", have)
	}
}

// The others hear of a peer whose cell died, by the address that Ready named. The bug is
// ours, so it is no fault.
func TestACrashedPeerIsGone(t *testing.T) {
	opened := Ready{Peer: self, Remote: remote, Local: netip.MustParseAddrPort("127.0.0.2:18334")}
	if got, want := Crashed(self, opened, "a panic"), (Gone{Peer: self, Remote: remote, Reason: "a panic"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// stages are the ways to bring a peer to each stage of its life.
var stages = []struct {
	name string
	arg  Arg
	msgs []wire.Message
}{
	{"dialled", Arg{}, nil},
	{"accepted", Arg{Inbound: true}, nil},
	{"greeted", Arg{}, []wire.Message{theirVersion()}},
	{"ready", Arg{}, []wire.Message{theirVersion(), &wire.MsgVerAck{}}},
}

// L9: a peer that says nothing more, at whatever stage, with the connection
// open, is ended by the cell's own clock.
func TestL9SilentPeerEndsAtEveryStage(t *testing.T) {
	for _, s := range stages {
		if err := silence(s.arg, s.msgs, func(m *Machine) actor.Machine { return m }); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if err := silence(s.arg, s.msgs, func(m *Machine) actor.Machine { return latched{m} }); err == nil {
			t.Errorf("%s: a peer without a clock was not noticed", s.name)
		}
	}
}

// latched is a broken peer: it waits for the network alone.
type latched struct{ *Machine }

func (latched) Deadline() time.Time { return time.Time{} }

// silence brings a peer to a stage, lets the remote read everything and say
// nothing, and follows the deadlines.
func silence(arg Arg, msgs []wire.Message, wrap func(*Machine) actor.Machine) error {
	inner := New(self, arg, testConfig(), Ports{Adapter: adapter}, topics, rand.New(rand.NewPCG(1, 2)))
	m, out, now := wrap(inner), actor.NewOutbox(nil), steptest.Epoch
	finished := false
	step := func(body any) {
		out.Begin(now)
		m.Step(now, actor.Input{Body: body}, out)
		for _, e := range out.Effects() {
			finished = finished || e.Kind == actor.Finish
		}
	}
	step(actor.Start{})
	for _, msg := range msgs {
		step(Received{Command: msg.Command(), Msg: msg, Bytes: 100})
	}
	for range 100 {
		step(Flushed{Bytes: inner.written.bytes, Msgs: inner.written.msgs})
		if finished {
			return nil
		}
		at := m.Deadline()
		if at.IsZero() {
			return errors.New("it has no deadline")
		}
		now = at
		step(actor.Tick{})
	}
	return fmt.Errorf("it is still there at %v", now.Sub(steptest.Epoch))
}

func TestSilentPeerStory(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.Advance(2 * time.Minute)
	b.says("a ping every two minutes", "write ping")
	b.flushAll()
	b.Advance(3*time.Minute - time.Second)
	b.says("one open ping is enough")
	b.Advance(time.Second)
	g := steptest.Want[Gone](b.Rig, "five minutes without a word")
	if !strings.Contains(g.Reason, "silent") || g.Fault {
		t.Errorf("gone: %+v", g)
	}
}

// L7: whatever happens, in whatever order, a peer's life is in order.
func TestL7LifeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }
		if err := randomLife(draw, func(m *Machine) actor.Machine { return m }); err != nil {
			t.Fatal(err)
		}
	})
}

// The check above must catch peers that break the order.
func TestL7CatchesDisorder(t *testing.T) {
	for _, c := range []struct {
		why  string
		wrap func(*Machine) actor.Machine
	}{
		{"Ready at version already", func(m *Machine) actor.Machine { return &readyTwice{Machine: m} }},
		{"Gone without Ready", func(m *Machine) actor.Machine { return &goneAlways{m} }},
		{"traffic before Ready", func(m *Machine) actor.Machine { return &eager{m} }},
		{"traffic on a tick, without credit", func(m *Machine) actor.Machine { return &chatty{m} }},
	} {
		caught := false
		for seed := range uint64(300) {
			rng := rand.New(rand.NewPCG(seed, 0))
			if randomLife(rng.IntN, c.wrap) != nil {
				caught = true
				break
			}
		}
		if !caught {
			t.Errorf("%s: was not noticed in 300 lives", c.why)
		}
	}
}

// The broken peers.
type (
	readyTwice struct {
		*Machine
		told bool
	}
	goneAlways struct{ *Machine }
	eager      struct{ *Machine }
	chatty     struct{ *Machine }
)

func (b *readyTwice) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	b.Machine.Step(now, in, out)
	if b.state == greeted && !b.told {
		b.told = true
		topics.Lifecycle.Open(out, b.version)
	}
}

func (b *goneAlways) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	b.opened = b.state != gone
	b.Machine.Step(now, in, out)
}

func (b *eager) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	b.Machine.Step(now, in, out)
	if _, ok := in.Body.(Received); ok && b.state == greeted {
		topics.Sync.Publish(out, HeadersReceived{})
	}
}

func (b *chatty) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	b.Machine.Step(now, in, out)
	if _, ok := in.Body.(actor.Tick); ok && b.state == ready {
		topics.Sync.Publish(out, HeadersReceived{})
	}
}

// randomLife gives a peer a hundred inputs that draw chooses and returns what
// was wrong with its effects.
func randomLife(draw func(n int) int, wrap func(*Machine) actor.Machine) error {
	arg := Arg{Conn: conn, Remote: remote, Inbound: draw(2) == 0, Manual: draw(2) == 0}
	inner := New(self, arg, testConfig(), Ports{Adapter: adapter}, topics, rand.New(rand.NewPCG(1, 2)))
	m, law := wrap(inner), lifeLaw{answered: map[actor.RawCall]bool{}}
	out, now := actor.NewOutbox(nil), steptest.Epoch
	in := actor.Input{Body: actor.Start{}}
	for i := range 100 {
		out.Begin(now)
		m.Step(now, in, out)
		if err := law.check(in, out.Effects()); err != nil {
			return fmt.Errorf("input %d, %T: %w", i, in.Body, err)
		}
		if law.finished {
			return nil
		}
		if err := m.Check(); err != nil {
			return fmt.Errorf("input %d, %T: %w", i, in.Body, err)
		}
		in = actor.Input{Body: randomInput(draw, inner, &now), From: adapter}
		switch in.Body.(type) {
		case Send, GetInfo:
			in.Call = actor.RawCall{Asker: 9, To: self, Seq: uint64(i) + 1}
		}
	}
	return nil
}

// lifeLaw is what L7 and L5 allow a peer to say.
type lifeLaw struct {
	opened, closed, finished bool
	answered                 map[actor.RawCall]bool
}

func (l *lifeLaw) check(in actor.Input, effects []actor.Effect) error {
	traffic := 0
	for _, e := range effects {
		if e.Kind == actor.Log {
			continue
		}
		if l.finished {
			return fmt.Errorf("%v %T after Finish", e.Kind, e.Body)
		}
		switch e.Body.(type) {
		case Ready:
			if l.opened || l.closed {
				return errors.New("a second Ready")
			}
			l.opened = true
		case Gone:
			if !l.opened || l.closed {
				return errors.New("Gone without Ready, or a second Gone")
			}
			l.closed = true
		default:
			if e.Kind == actor.Publish {
				traffic++
				if !l.opened || l.closed {
					return fmt.Errorf("%T outside of Ready and Gone", e.Body)
				}
			}
		}
		switch e.Kind {
		case actor.Finish:
			if l.opened && !l.closed {
				return errors.New("Finish without Gone")
			}
			l.finished = true
		case actor.Answer:
			if l.answered[e.Call] {
				return errors.New("a second answer")
			}
			l.answered[e.Call] = true
		}
	}
	if _, received := in.Body.(Received); traffic > 0 && !received || traffic > actor.MaxFanout {
		return fmt.Errorf("%d traffic events in a step of %T", traffic, in.Body)
	}
	return nil
}

// randomInput is anything that can happen to a peer, most often what brings its
// life on.
func randomInput(draw func(n int) int, m *Machine, now *time.Time) any {
	msgs := []func() wire.Message{
		func() wire.Message { return theirVersion() },
		func() wire.Message { return &wire.MsgVerAck{} },
		func() wire.Message { return &wire.MsgWTxIdRelay{} },
		func() wire.Message { return &wire.MsgSendAddrV2{} },
		func() wire.Message { return &wire.MsgSendHeaders{} },
		func() wire.Message { return &wire.MsgPing{Nonce: 1} },
		func() wire.Message { return &wire.MsgPong{Nonce: m.pingNonce} },
		func() wire.Message { return &wire.MsgHeaders{Headers: []*wire.BlockHeader{{}, {}}} },
		func() wire.Message { return aBlock(uint32(draw(3))) },
		func() wire.Message { return &wire.MsgInv{InvList: blockInvs(byte(draw(5)))} },
		func() wire.Message { return &wire.MsgNotFound{InvList: blockInvs(byte(draw(5)))} },
		func() wire.Message {
			return &wire.MsgGetHeaders{BlockLocatorHashes: make([]*chainhash.Hash, draw(2)*draw(110))}
		},
		func() wire.Message { return &wire.MsgGetBlocks{} },
		func() wire.Message { return &wire.MsgGetData{InvList: blockInvs(1)} },
		func() wire.Message { return &wire.MsgAddr{} },
		func() wire.Message { return &wire.MsgGetAddr{} },
		func() wire.Message { return aTx(uint32(draw(3))) },
		func() wire.Message { return &wire.MsgFeeFilter{MinFee: int64(draw(3)) - 1} },
		func() wire.Message { return &wire.MsgInv{InvList: append(blockInvs(1), inv(wire.InvTypeTx, 2))} },
		func() wire.Message { return &wire.MsgInv{} },
	}
	switch draw(16) {
	case 0:
		return actor.Tick{} // too early
	case 1, 2, 3:
		*now = now.Add(time.Duration(draw(90)) * time.Second)
		if at := m.Deadline(); at.After(*now) && draw(2) == 0 {
			*now = at
		}
		return actor.Tick{}
	case 4:
		return Received{Command: "sendcmpct", Bad: "unknown", Bytes: 33}
	case 5:
		return Flushed{Bytes: m.flushed.bytes + uint64(draw(1000)), Msgs: m.flushed.msgs + uint64(draw(3))}
	case 6:
		return Send{Msgs: []wire.Message{&wire.MsgGetData{InvList: blockInvs(byte(draw(5)), byte(draw(5)))}}, Payloads: [][]byte{make([]byte, draw(2000))}}
	case 7:
		return GetInfo{}
	case 8:
		switch draw(24) {
		case 0:
			return EOF{Reason: "x", Fault: draw(2) == 0}
		case 1:
			return Broken{Reason: "x"}
		case 2:
			return actor.End{Reason: "x"}
		case 3:
			return actor.Stop{}
		}
		return GetInfo{}
	case 9, 10:
		if m.state == greeted {
			return Received{Command: "verack", Msg: &wire.MsgVerAck{}}
		}
		if m.state != ready {
			return Received{Command: "version", Msg: theirVersion(), Bytes: 120}
		}
	}
	skip := 0
	if m.state == ready && draw(8) > 0 {
		skip = 4 // what ends a ready peer comes seldom
	}
	msg := msgs[skip+draw(len(msgs)-skip)]()
	return Received{Command: msg.Command(), Msg: msg, Bytes: 100}
}
