package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

const (
	transportID actor.ID = 1
	bookID      actor.ID = 2
	resolverID  actor.ID = 3
)

// connectPorts gives a server the ports that it has in the node.
func connectPorts(maxPeers int) (Ports, []actor.PortSpec) {
	var p actor.Ports
	ports := Ports{
		Transport: transportID,
		Dial:      actor.Connect[Dial](&p, "dial", actor.Ref[Sockets](transportID), 8, 40*time.Second),
		Pick:      actor.Connect[Pick](&p, "pick", actor.Ref[Keeper](bookID), 1, 10*time.Second),
		Sample:    actor.Connect[Sample](&p, "sample", actor.Ref[Keeper](bookID), 4, 10*time.Second),
		Note:      actor.Connect[Note](&p, "note", actor.Ref[Keeper](bookID), 1, 10*time.Second),
		Resolve:   actor.Connect[Resolve](&p, "resolve", actor.Ref[Names](resolverID), 8, 20*time.Second),
		Send:      actor.ConnectOf[peer.Send](&p, "send", maxPeers, time.Minute),
	}
	return ports, p.Specs
}

// quiet is a configuration that only listens.
func quiet() Config {
	return Config{
		Bounds:      Bounds{MaxPeers: 4, MaxAdded: 4, BanDuration: 24 * time.Hour, MaxBans: 3, MaxNotes: 50},
		DefaultPort: 18333,
	}
}

// bench is a server on the bench and a world that answers it.
type bench struct {
	*steptest.Rig
	t     *testing.T
	m     *Machine
	conns peer.ConnID
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	ports, specs := connectPorts(cfg.MaxPeers)
	m := New(cfg, ports, Topics{}, rand.New(rand.NewPCG(1, 2)))
	b := &bench{Rig: steptest.New(t, m, specs), t: t, m: m}
	t.Cleanup(b.RunOut)
	return b
}

// rebuilt is a server after a crash, before it has been told of its living peers.
func rebuilt(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := newBench(t, cfg)
	ports, _ := connectPorts(cfg.MaxPeers)
	b.m = New(cfg, ports, Topics{}, rand.New(rand.NewPCG(1, 2)))
	b.M = b.m
	b.Drop()
	b.Give(actor.Start{Generation: 1})
	return b
}

// ours is our end of every connection.
var ours = at("192.0.2.7:8333")

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// admit lets a remote address knock.
func (b *bench) admit(remote, why string) Admitted {
	b.t.Helper()
	b.conns++
	call := b.Ask(Admit{Conn: b.conns, Local: ours, Remote: at(remote)})
	return steptest.WantAnswer[Admitted](b.Rig, call, why)
}

// arrive lets an inbound peer in; it must be admitted.
func (b *bench) arrive(remote string) actor.ID {
	b.t.Helper()
	a := b.admit(remote, "a newcomer is answered at once")
	if a.Peer == 0 {
		b.t.Fatalf("%s was not admitted: %s", remote, a.Reason)
	}
	arg := steptest.Want[peer.Arg](b.Rig, "an admitted connection gets a cell")
	if arg.Conn != b.conns || arg.Remote != at(remote) || arg.Local != ours || !arg.Inbound || arg.Manual {
		b.t.Fatalf("the cell of %s got %+v", remote, arg)
	}
	return a.Peer
}

// wantDial takes a dial, which must be to addr.
func (b *bench) wantDial(addr, why string) steptest.Asked {
	b.t.Helper()
	q, ask := steptest.WantAsk[Dial](b.Rig, why)
	if q.Addr != at(addr) {
		b.t.Fatalf("%s: %v is dialled, not %s", why, q.Addr, addr)
	}
	return ask
}

// connect answers a dial with a connection and returns the new peer.
func (b *bench) connect(ask steptest.Asked, addr string) actor.ID {
	b.t.Helper()
	b.conns++
	b.Reply(ask, Dialed{Conn: b.conns, Local: ours, Remote: at(addr)})
	arg, e := steptest.WantEffect[peer.Arg](b.Rig, actor.Spawn, "a connection that was wanted gets a cell")
	if arg.Conn != b.conns || arg.Remote != at(addr) || arg.Local != ours || arg.Inbound {
		b.t.Fatalf("the cell of %s got %+v", addr, arg)
	}
	return e.To
}

// ready ends a peer's handshake.
func (b *bench) ready(id actor.ID, addr string) {
	b.t.Helper()
	b.Give(peer.Ready{Peer: id, Remote: at(addr), UserAgent: "/test/"})
}

// end ends a peer's cell.
func (b *bench) end(id actor.ID) { b.t.Helper(); b.Give(actor.Ended{Child: id, Reason: "closed"}) }

// pick answers the book's question.
func (b *bench) pick(known int, addrs ...string) {
	b.t.Helper()
	_, ask := steptest.WantAsk[Pick](b.Rig, "a server that is short of peers asks the book")
	picked := Picked{Known: known}
	for _, a := range addrs {
		picked.Addrs = append(picked.Addrs, at(a))
	}
	b.Reply(ask, picked)
}

// noted answers the note under way and returns it.
func (b *bench) noted(known int, why string) Note {
	b.t.Helper()
	n, ask := steptest.WantAsk[Note](b.Rig, why)
	b.Reply(ask, Noted{Known: known})
	return n
}

func BenchmarkAConnectionOfAStorm(b *testing.B) {
	cfg := quiet()
	cfg.MaxPeers = 125
	ports, specs := connectPorts(cfg.MaxPeers)
	r := steptest.New(b, New(cfg, ports, Topics{}, rand.New(rand.NewPCG(1, 2))), specs)
	for i := range 124 {
		r.Ask(Admit{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(i+1))})
	}
	for i := 0; b.Loop(); i++ {
		r.Drop()
		r.Ask(Admit{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(i))})
		r.M.Deadline()
		r.Give(actor.Ended{Child: actor.Child(steptest.Self, uint32(125+i))})
		r.M.Deadline()
	}
}

// pendingAsks counts the questions of type Q that nobody has taken.
func pendingAsks[Q any](b *bench) int {
	n := 0
	for _, e := range b.Pending() {
		if _, is := e.Body.(Q); is && e.Kind == actor.Ask {
			n++
		}
	}
	return n
}

// wantNoHotLoop says that the machine wants no Tick for what has found no slot.
func (b *bench) wantNoHotLoop(why string) {
	b.t.Helper()
	if d := b.m.Deadline(); !d.IsZero() && !d.After(b.Now) {
		b.t.Fatalf("%s: the deadline is %v back", why, b.Now.Sub(d))
	}
}

// orderedToEnd lists the cells of the orders to end that no Want has taken.
func (b *bench) orderedToEnd() (cells []actor.ID) {
	for _, e := range b.Pending() {
		if e.Kind == actor.EndCell {
			cells = append(cells, e.To)
		}
	}
	return cells
}

// logged counts the records of a level that contain a text.
func (b *bench) logged(level actor.Level, text string) int {
	n := 0
	for _, r := range b.Records {
		if r.Level == level && strings.Contains(fmt.Sprint(r.Msg, r.Fields), text) {
			n++
		}
	}
	return n
}

func (b *bench) done(q any, want DoneError, why string) {
	b.t.Helper()
	call := b.Ask(q)
	if got := steptest.WantAnswer[Done](b.Rig, call, why).Err; got != want {
		b.t.Fatalf("%s: the answer is %q, not %q", why, got, want)
	}
}
