package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// judge plays the world around one server and holds the server to the rules. What
// happens is in acts_test.go; chance chooses the order. The judge keeps naive
// books: who is connected, who is banned, whom the user has named. It does not look
// into the server.
type judge struct {
	choose func(n int) int // 0 to n-1
	build  func(Config, Ports) actor.Machine
	cfg    Config
	ports  Ports
	specs  []actor.PortSpec

	m    actor.Machine
	now  time.Time
	out  *actor.Outbox
	used []int
	seq  uint64
	gen  uint32
	err  error // the first rule that was broken

	asks  []*question // not answered, or timed out and not freed
	peers []*cell     // alive, in order of ID
	conns peer.ConnID
	cells uint32
	bans  map[string]time.Time // by site
	named map[hostport.Addr]bool
}

type question struct {
	ticket actor.Ticket
	key    uint64
	to     actor.ID
	port   int
	body   any
	none   any
	zombie bool
}

type cell struct {
	id    actor.ID
	arg   peer.Arg
	ready bool
	gone  bool
}

func newJudge(cfg Config, choose func(int) int, build func(Config, Ports) actor.Machine) *judge {
	ports, specs := connectPorts(cfg.MaxPeers)
	j := &judge{
		choose: choose, build: build, cfg: cfg, ports: ports, specs: specs,
		now: time.Unix(1_600_000_000, 0),
	}
	j.birth()
	return j
}

// birth builds the server, at first or after a crash.
func (j *judge) birth() {
	j.m = j.build(j.cfg, j.ports)
	j.out = actor.NewOutbox(j)
	j.used = make([]int, len(j.specs))
	j.asks = nil
	j.bans = map[string]time.Time{}
	j.named = map[hostport.Addr]bool{}
	for _, name := range j.cfg.AddPeers {
		t, _ := hostport.Parse(name, j.cfg.DefaultPort)
		j.named[t] = true
	}
	j.give(actor.Start{Generation: j.gen})
	for _, c := range j.peers {
		j.give(actor.Alive{Child: c.id, Arg: c.arg})
	}
	for _, c := range j.peers {
		if c.ready {
			j.give(peer.Ready{Peer: c.id, Remote: c.arg.Remote, Inbound: c.arg.Inbound})
		}
	}
	j.gen++
}

// The judge is the server's host.
func (j *judge) Reserve(port int, to actor.ID, key uint64, _ time.Time, none any) (actor.RawCall, bool) {
	if j.Free(port) == 0 {
		return actor.RawCall{}, false
	}
	j.used[port]++
	j.seq++
	j.asks = append(j.asks, &question{ticket: actor.Ticket(j.seq), key: key, to: to, port: port, none: none})
	return actor.RawCall{To: to, Seq: j.seq}, true
}
func (j *judge) Free(port int) int { return j.specs[port].Window - j.used[port] }
func (j *judge) Seat(actor.Kind) (actor.ID, bool) {
	j.cells++
	return actor.Child(9, j.cells), true
}
func (j *judge) Seats(actor.Kind) int { return 1 }
func (j *judge) fail(format string, args ...any) {
	if j.err == nil {
		j.err = fmt.Errorf(format, args...)
	}
}

func (j *judge) give(body any) []actor.Effect { return j.step(actor.Input{Body: body}) }

// step lets the server work and judges what it did.
func (j *judge) step(in actor.Input) []actor.Effect {
	j.out.Begin(j.now)
	j.m.Step(j.now, in, j.out)
	effects := slices.Clone(j.out.Effects())
	for _, e := range effects {
		switch e.Kind {
		case actor.Ask:
			q := j.asks[slices.IndexFunc(j.asks, func(q *question) bool { return uint64(q.ticket) == e.Call.Seq })]
			q.body = e.Body
			if d, is := e.Body.(Dial); is {
				j.judgeDial(d.Addr, q)
			}
		case actor.Spawn:
			arg := e.Body.(peer.Arg)
			j.peers = append(j.peers, &cell{id: e.To, arg: arg})
		}
	}
	if taken := len(j.peers) + len(j.dials()); taken > j.cfg.MaxPeers {
		j.fail("%d seats are taken of %d", taken, j.cfg.MaxPeers)
	}
	if err := j.m.Check(); err != nil {
		j.fail("after %T: %v", in.Body, err)
	}
	return effects
}

// dials are the addresses being dialled.
func (j *judge) dials() []netip.AddrPort {
	var list []netip.AddrPort
	for _, q := range j.asks {
		if d, is := q.body.(Dial); is && !q.zombie {
			list = append(list, d.Addr)
		}
	}
	return list
}

func (j *judge) judgeDial(addr netip.AddrPort, q *question) {
	for _, c := range j.peers {
		if c.arg.Remote == addr {
			j.fail("%v is dialled, but it is connected", addr)
		}
	}
	same := 0
	for _, d := range j.dials() {
		if d == addr {
			same++
		}
	}
	if same > 1 {
		j.fail("%v is dialled twice at a time", addr)
	}
	if j.banned(addr.Addr()) && !j.userNamed(addr) {
		j.fail("%v is dialled, but it is banned", addr)
	}
}

func (j *judge) userNamed(addr netip.AddrPort) bool {
	for t := range j.named {
		if t.Literal() == addr || !t.Literal().IsValid() {
			return true
		}
	}
	return false
}

// site is what the bounds of one address are of, said in the plainest way.
func site(addr netip.Addr) string {
	if addr.Is4() {
		return addr.String()
	}
	return addr.StringExpanded()[:len("2001:0db8:0000:0000")]
}

func (j *judge) banned(addr netip.Addr) bool {
	until, ok := j.bans[site(addr)]
	return ok && until.After(j.now)
}

// admissible is the rule of admission, said in the plainest way.
func (j *judge) admissible(addr netip.Addr) bool {
	in, same := 0, 0
	for _, c := range j.peers {
		if c.arg.Inbound {
			in++
			if site(c.arg.Remote.Addr()) == site(addr) && !addr.IsLoopback() {
				same++
			}
		}
	}
	kept := 0
	for _, keep := range j.named {
		if keep {
			kept++
		}
	}
	target := max(0, min(j.cfg.OutboundTarget, j.cfg.MaxPeers-kept))
	return !j.banned(addr) && same < j.cfg.MaxInboundPerIP &&
		in < j.cfg.MaxPeers-kept-target && len(j.peers)+len(j.dials()) < j.cfg.MaxPeers
}

// finish lets the world be kind for a while: every question is answered, nobody
// ends. Then every peer that the user has named must be connected, or be on the
// way, or wait for a seat (L9).
func (j *judge) finish() {
	for range 500 {
		for len(j.asks) > 0 && j.err == nil {
			q := j.asks[0]
			j.asks = j.asks[1:]
			j.used[q.port]--
			if q.zombie {
				j.step(actor.Input{Body: actor.Freed{}, Key: q.key})
				continue
			}
			if d, is := q.body.(Dial); is {
				j.conns++
				j.step(actor.Input{Ticket: q.ticket, Key: q.key, Body: Dialed{Conn: j.conns, Remote: d.Addr}})
				continue
			}
			j.reply(q)
		}
		j.pass(time.Second)
	}
	for t, keep := range j.named {
		lit := t.Literal()
		if !keep || !lit.IsValid() || len(j.peers) >= j.cfg.MaxPeers {
			continue
		}
		if !slices.ContainsFunc(j.peers, func(c *cell) bool { return c.arg.Remote == lit }) {
			j.fail("%v was named by the user and has been forgotten", t)
		}
	}
}

// trial is one whole run; it returns the first rule that was broken.
func trial(cfg Config, steps int, choose func(int) int, build func(Config, Ports) actor.Machine) error {
	j := newJudge(cfg, choose, build)
	for range steps {
		if j.act(); j.err != nil {
			return j.err
		}
	}
	j.finish()
	return j.err
}

// dice is chance from a seed.
func dice(seed uint64) func(int) int {
	rng := rand.New(rand.NewPCG(seed, 7))
	return func(n int) int { return rng.IntN(n) }
}
