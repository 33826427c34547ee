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

// judge plays the whole world around one server, in an order that chance
// chooses, and keeps its own naive books: who is connected, who is banned, whom
// the user has named. It knows nothing of the server's state.
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
func (j *judge) Reserve(port int, to actor.ID, _ time.Time, none any) (actor.RawCall, bool) {
	if j.Free(port) == 0 {
		return actor.RawCall{}, false
	}
	j.used[port]++
	j.seq++
	j.asks = append(j.asks, &question{ticket: actor.Ticket(j.seq), to: to, port: port, none: none})
	return actor.RawCall{To: to, Seq: j.seq}, true
}
func (j *judge) Free(port int) int { return j.specs[port].Window - j.used[port] }
func (j *judge) Seat(actor.Kind) (actor.ID, bool) {
	j.cells++
	return actor.Child(9, j.cells), true
}
func (j *judge) Seats(actor.Kind) int       { return 1 }
func (j *judge) Credit(actor.ID) (int, int) { return 0, 0 }
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
	if places := len(j.peers) + len(j.dials()); places > j.cfg.MaxPeers {
		j.fail("%d places are taken of %d", places, j.cfg.MaxPeers)
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

// addrs is everybody there is.
var addrs = []netip.AddrPort{
	at("1.1.1.1:18333"), at("1.1.2.2:18333"), at("2.2.2.2:18333"), at("3.3.3.3:18333"), at("4.4.4.4:18333"),
	at("[2001:db8::1]:18333"), at("[2001:db8::2]:18333"), at("5.5.5.5:1"), at("127.0.0.1:18333"),
}

func (j *judge) addr() netip.AddrPort { return addrs[j.choose(len(addrs))] }

// act does one thing that can happen.
func (j *judge) act() {
	switch j.choose(12) {
	case 0, 1:
		j.knock()
	case 2, 3, 4:
		j.answer()
	case 5, 6:
		j.live()
	case 7:
		j.end()
	case 8:
		j.pass(time.Duration(j.choose(20_000)) * time.Millisecond)
	case 9:
		j.user()
	case 10:
		if j.choose(8) == 0 {
			j.pass(time.Duration(j.choose(30)) * time.Hour)
		}
	case 11:
		if j.choose(8) == 0 {
			j.birth()
		}
	}
}

// knock is an inbound connection.
func (j *judge) knock() {
	j.conns++
	remote := netip.AddrPortFrom(j.addr().Addr(), uint16(40_000+j.conns))
	want := j.admissible(remote.Addr())
	before := len(j.peers)
	call := actor.RawCall{Asker: 5, Seq: 1 << 40}
	answers := 0
	for _, e := range j.step(actor.Input{Body: Admit{Conn: j.conns, Remote: remote}, Call: call}) {
		if e.Kind != actor.Answer {
			continue
		}
		answers++
		got := e.Body.(Admitted)
		if (got.Peer != 0) != want {
			j.fail("%v: admitted %v, the rules say %v", remote, got, want)
		}
		spawned := len(j.peers) > before && j.peers[before].arg.Conn == j.conns && j.peers[before].id == got.Peer
		if spawned != (got.Peer != 0) {
			j.fail("%v: answered %v, but the cell is another matter", remote, got)
		}
	}
	if answers != 1 {
		j.fail("an Admit was answered %d times", answers)
	}
}

// answer ends one of the open questions in one of the possible ways.
func (j *judge) answer() {
	if len(j.asks) == 0 {
		return
	}
	i := j.choose(len(j.asks))
	q := j.asks[i]
	if q.zombie || j.choose(4) != 0 {
		j.used[q.port]--
		j.asks = slices.Delete(j.asks, i, i+1)
	}
	switch {
	case q.zombie: // a late answer is not delivered
	case slices.Contains(j.asks, q):
		q.zombie = true
		j.step(actor.Input{Body: q.none, Ticket: q.ticket, Err: actor.ErrTimeout})
	case j.choose(5) == 0:
		j.step(actor.Input{Body: q.none, Ticket: q.ticket, Err: actor.ErrGone})
	default:
		j.reply(q)
	}
}

func (j *judge) reply(q *question) {
	in := actor.Input{Ticket: q.ticket}
	switch body := q.body.(type) {
	case Dial:
		if j.choose(3) == 0 {
			in.Body = Dialed{Err: "refused"}
			break
		}
		j.conns++
		in.Body = Dialed{Conn: j.conns, Remote: body.Addr}
		spawned, refused := 0, 0
		for _, e := range j.step(in) {
			if arg, is := e.Body.(peer.Arg); is && arg.Conn == j.conns {
				spawned++
			}
			if r, is := e.Body.(Refuse); is && r.Conn == j.conns {
				refused++
			}
		}
		if spawned+refused != 1 {
			j.fail("a connection became %d peers and was refused %d times", spawned, refused)
		}
		return
	case Pick:
		in.Body = Picked{Known: j.choose(200), Addrs: []netip.AddrPort{j.addr(), j.addr()}}
	case Resolve:
		in.Body = Resolved{Addrs: []netip.AddrPort{j.addr(), j.addr()}}
	case Sample:
		in.Body = Sampled{Addrs: netAddrs(j.now, "1.1.1.1:1")}
	case Note:
		in.Body = Noted{Known: j.choose(200)}
	case peer.Disconnect:
		in.Body = peer.Disconnected{}
	case peer.Send:
		in.Body = peer.Sent{}
	}
	j.step(in)
}

// live moves a peer on in its life.
func (j *judge) live() {
	if len(j.peers) == 0 {
		return
	}
	c := j.peers[j.choose(len(j.peers))]
	switch {
	case !c.ready && !c.gone:
		c.ready = true
		j.give(peer.Ready{Peer: c.id, Remote: c.arg.Remote, Inbound: c.arg.Inbound, Manual: c.arg.Manual})
	case c.ready && j.choose(3) == 0:
		c.ready, c.gone = false, true
		fault := j.choose(2) == 0
		ip := c.arg.Remote.Addr()
		if fault && !c.arg.Manual && !ip.IsLoopback() {
			j.bans[site(ip)] = j.now.Add(j.cfg.BanDuration)
		}
		j.give(peer.Gone{Peer: c.id, Remote: c.arg.Remote, Fault: fault})
	case c.ready && j.choose(2) == 0:
		j.give(peer.AddrsWanted{Peer: c.id})
	case c.ready:
		j.give(peer.AddrsReceived{Peer: c.id, Addrs: netAddrs(j.now, "1.1.1.1:1")})
	}
}

func (j *judge) end() {
	if len(j.peers) == 0 {
		return
	}
	i := j.choose(len(j.peers))
	c := j.peers[i]
	if c.ready {
		j.give(peer.Gone{Peer: c.id, Remote: c.arg.Remote})
	}
	j.peers = slices.Delete(j.peers, i, i+1)
	j.give(actor.Ended{Child: c.id})
}

// pass lets time go by, with a Tick at each deadline.
func (j *judge) pass(d time.Duration) {
	end := j.now.Add(d)
	for still := 0; j.err == nil; still++ {
		at := j.m.Deadline()
		if at.IsZero() || at.After(end) {
			j.now = end
			return
		}
		if at.After(j.now) {
			j.now, still = at, 0
		}
		if still > 100 {
			j.fail("100 ticks at one time: the deadline stands still")
		}
		j.give(actor.Tick{})
	}
}

// user is a command of the user's.
func (j *judge) user() {
	a := j.addr()
	name := a.String()
	if j.choose(4) == 0 {
		name = "node.example"
	}
	var q any = DisconnectNode{Addr: name}
	t, _ := hostport.Parse(name, j.cfg.DefaultPort)
	cmd := ""
	if k := j.choose(4); k < 3 {
		cmd = []string{"add", "onetry", "remove"}[k]
		q = AddNode{Command: cmd, Addr: name}
	}
	if cmd != "" && !j.named[t] {
		j.named[t] = false // known as a user's wish, without a place of its own yet
	}
	call := actor.RawCall{Asker: 5, Seq: 1 << 41}
	answers := 0
	for _, e := range j.step(actor.Input{Body: q, Call: call}) {
		if e.Kind == actor.Answer {
			answers++
			if done := e.Body.(Done); done.Err == "" && cmd == "add" {
				j.named[t] = true
			} else if done.Err == "" && cmd == "remove" {
				j.named[t] = false
			}
		}
	}
	if answers != 1 {
		j.fail("%T was answered %d times", q, answers)
	}
}

// finish lets the world be kind for a while: every question is answered, nobody
// ends. Then every peer that the user has named must be connected, or be on the
// way, or wait for a place (L9).
func (j *judge) finish() {
	for range 500 {
		for len(j.asks) > 0 && j.err == nil {
			q := j.asks[0]
			j.asks = j.asks[1:]
			j.used[q.port]--
			if q.zombie {
				continue
			}
			if d, is := q.body.(Dial); is {
				j.conns++
				j.step(actor.Input{Ticket: q.ticket, Body: Dialed{Conn: j.conns, Remote: d.Addr}})
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
