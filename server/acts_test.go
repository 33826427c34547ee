package server

import (
	"net/netip"
	"slices"
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

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
	case q.zombie: // a late answer is not delivered, only that its slot is free
		j.step(actor.Input{Body: actor.Freed{}, Key: q.key})
	case slices.Contains(j.asks, q):
		q.zombie = true
		j.step(actor.Input{Body: q.none, Ticket: q.ticket, Key: q.key, Err: actor.ErrTimeout})
	case j.choose(5) == 0:
		j.step(actor.Input{Body: q.none, Ticket: q.ticket, Key: q.key, Err: actor.ErrGone})
	default:
		j.reply(q)
	}
}

func (j *judge) reply(q *question) {
	in := actor.Input{Ticket: q.ticket, Key: q.key}
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
		j.named[t] = false // a wish of the user, which has no seat kept free yet
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
