package server

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
)

// The back-off of a named peer: btcd's connmgr waits 5 s at first and at most
// 5 min.
const (
	namedRetry    = 5 * time.Second
	namedRetryMax = 5 * time.Minute
	// dialledRetry is how long a peer waits while its address is being dialled
	// for another reason. By then that dial has mostly ended.
	dialledRetry = 5 * time.Second
	// maxNamedAddrs is how many addresses of a name are tried before the name
	// is looked up again.
	maxNamedAddrs = 8
	// firstNamed is the number of the first named peer. The keys of lookups
	// below it are the seeds' (see seeds.ask).
	firstNamed = 1 << 32
)

// phase is where a named peer is in its life (see doc.go).
type phase uint8

const (
	waiting phase = iota // for its time
	resolving
	dialling
	linked // it has a connection
	over   // it was to be tried once; forget takes it out
)

// namedPeer is a peer that the user has named.
type namedPeer struct {
	number uint64 // the key of its lookups; its dials carry it
	target hostport.Addr
	keep   bool // tried for ever; otherwise once (addnode onetry)
	rpc    bool // from addnode

	phase phase
	at    time.Time        // waiting: until then
	addrs []netip.AddrPort // to be tried one after the other
	peer  actor.ID         // linked; otherwise 0
	tries int              // failures in a row
	told  bool             // the user has been told of the failure

	// starved says that a port had no slot. An answer or Freed brings the next
	// chance, so no clock runs.
	starved bool
}

func (p *namedPeer) becomeWaiting(at time.Time) {
	p.phase, p.at, p.peer, p.starved = waiting, at, 0, false
}

func (p *namedPeer) become(next phase, from ...phase) {
	if !slices.Contains(from, p.phase) {
		panic(fmt.Sprintf("server: %v goes from phase %d to %d", p.target, p.phase, next))
	}
	p.phase = next
}

// link notes that the peer has its connection; shook says that the handshake is
// done.
func (p *namedPeer) link(id actor.ID, shook bool) {
	next := linked
	if !p.keep {
		next = over
	}
	p.become(next, waiting, dialling)
	p.peer, p.addrs = id, nil
	if shook {
		p.succeed()
	}
}

// succeed ends the row of failures: only a handshake counts.
func (p *namedPeer) succeed() { p.tries, p.told = 0, false }

// resolved takes the addresses of the peer's name.
func (p *namedPeer) resolved(now time.Time, addrs []netip.AddrPort, reason string, rng *rand.Rand, out *actor.Outbox) {
	for _, addr := range addrs[:min(len(addrs), maxNamedAddrs)] {
		p.addrs = append(p.addrs, plain(addr))
	}
	p.failed(now, cmp.Or(reason, "the name has no address"), rng, out)
}

// failed goes on to the next address, and after the last one into the back-off.
// The user is told of the first failure in a row. The others are for debugging.
func (p *namedPeer) failed(now time.Time, reason string, rng *rand.Rand, out *actor.Outbox) {
	switch {
	case len(p.addrs) > 0:
		p.becomeWaiting(now)
		return
	case !p.keep:
		out.Log(actor.Info, "addnode onetry: no connection", "addr", p.target, "reason", reason)
		p.phase = over
		return
	}
	p.tries++
	wait := backoff(rng, namedRetry, namedRetryMax, p.tries)
	p.becomeWaiting(now.Add(wait))
	level := actor.Warn
	if p.told {
		level = actor.Debug
	}
	p.told = true
	out.Log(level, "no connection to "+p.target.String()+"; still trying", "reason", reason, "next", wait.Round(time.Second))
}

// named tracks the peers that the user has named.
type named struct {
	list       []namedPeer
	last       uint64 // number
	configured int    // peers of the configuration
	maxAdded   int    // peers of addnode
}

func (n *named) add(p namedPeer) {
	n.last = max(n.last+1, firstNamed)
	p.number = n.last
	n.list = append(n.list, p)
}

func (n *named) find(fits func(p *namedPeer) bool) *namedPeer {
	for i := range n.list {
		if p := &n.list[i]; fits(p) {
			return p
		}
	}
	return nil
}

// numbered returns the peer with a number, or nil.
func (n *named) numbered(number uint64) *namedPeer {
	return n.find(func(p *namedPeer) bool { return p.number == number })
}

// called returns the peer that the user calls t, or nil.
func (n *named) called(t hostport.Addr) *namedPeer {
	return n.find(func(p *namedPeer) bool { return p.target == t })
}

// added counts the peers that came from addnode.
func (n *named) added() int { return count(n.list, func(p *namedPeer) bool { return p.rpc }) }

// due is when a peer is to be tried. If all seats are taken, the end of a peer
// brings the next chance.
func (n *named) due(full bool) time.Time {
	var first actor.Earliest
	for i := range n.list {
		if p := &n.list[i]; p.phase == waiting && !p.starved && !full {
			first.Add(p.at)
		}
	}
	return first.At()
}

// forget takes out the peers that were tried once.
func (n *named) forget() {
	n.list = slices.DeleteFunc(n.list, func(p namedPeer) bool { return p.phase == over })
}

// shook notes that the handshake with a peer is done.
func (n *named) shook(id actor.ID) {
	for i := range n.list {
		if p := &n.list[i]; p.peer == id {
			p.succeed()
		}
	}
}

// ended brings the names of a peer that was connected back into their back-off.
func (n *named) ended(now time.Time, r *remote, reason string, rng *rand.Rand, out *actor.Outbox) {
	for i := range n.list {
		p := &n.list[i]
		if p.peer != r.id {
			continue
		}
		p.told = p.told || r.shook // the loss of a good connection is logged elsewhere
		p.failed(now, reason, rng, out)
		p.told = !r.shook
	}
}

// change obeys the RPC addnode; ok says that t is a valid target. Like Bitcoin
// Core's addnode it only changes the list: a name is looked up when its time
// comes, and remove leaves the connection.
func (n *named) change(now time.Time, command string, t hostport.Addr, ok bool) DoneError {
	p := n.called(t)
	switch command {
	case "add", "onetry":
		keep := command == "add"
		switch {
		case !ok:
			return BadAddress
		case p != nil && p.keep && keep:
			return AlreadyAdded
		case p != nil:
			p.keep = p.keep || keep // it is being tried already
		case n.added() >= n.maxAdded:
			return TooManyAdded
		default:
			n.add(namedPeer{target: t, keep: keep, rpc: true, at: now})
		}
	case "remove":
		if p == nil || !p.keep {
			return NotAdded
		}
		n.list = slices.DeleteFunc(n.list, func(p namedPeer) bool { return p.target == t })
	default:
		return BadCommand
	}
	return ""
}

func (n *named) check(d *dials, rs remotes) error {
	if a := n.added(); a > n.maxAdded || len(n.list)-a > n.configured {
		return fmt.Errorf("%d named peers, %d of them added, at most %d and %d", len(n.list), a, n.configured+n.maxAdded, n.maxAdded)
	}
	for i := range n.list {
		p := &n.list[i]
		switch {
		case len(p.addrs) > maxNamedAddrs:
			return fmt.Errorf("%v has %d addresses, at most %d", p.target, len(p.addrs), maxNamedAddrs)
		case p.phase == dialling && !slices.ContainsFunc(d.list, func(d dial) bool { return d.named == p.number }):
			return fmt.Errorf("%v is dialling, but there is no dial", p.target)
		case p.phase == linked && rs.find(p.peer) == nil:
			return fmt.Errorf("%v is linked to %v, which is not connected", p.target, p.peer)
		}
	}
	return nil
}

// connectNamed takes the next step of each named peer whose time has come.
func (m *Machine) connectNamed(now time.Time, out *actor.Outbox) {
	for i := range m.named.list {
		if p := &m.named.list[i]; p.phase == waiting && !p.at.After(now) {
			m.tryNamed(now, p, out)
		}
	}
}

// tryNamed takes the next step of a named peer towards a connection.
func (m *Machine) tryNamed(now time.Time, p *namedPeer, out *actor.Outbox) {
	if lit := p.target.Literal(); lit.IsValid() {
		p.addrs = []netip.AddrPort{lit}
	}
	if len(p.addrs) == 0 {
		_, ok := m.ports.Resolve.Ask(out, p.number, Resolve{Host: p.target.Host, Port: p.target.Port})
		if p.starved = !ok; ok {
			p.become(resolving, waiting)
		}
		return
	}
	addr := p.addrs[0]
	if r := m.remotes.at(addr); r != nil {
		p.link(r.id, r.shook)
		return
	}
	switch s := m.seats(); {
	case m.dials.to(addr):
		p.becomeWaiting(now.Add(dialledRetry))
	case s.full() && !p.keep:
		out.Log(actor.Info, "addnode onetry: all seats are taken", "addr", p.target)
		p.become(over, waiting)
	case s.full():
		// It waits for the next seat. Inbound cannot take it.
	default:
		if p.starved = !m.dial(addr, p.number, out); !p.starved {
			p.addrs = p.addrs[1:]
			p.become(dialling, waiting)
		}
	}
}

// onResolved takes the addresses of a named peer or of a seed.
func (m *Machine) onResolved(now time.Time, in actor.Input, got Resolved, out *actor.Outbox) {
	reason := failure(in.Err, got.Err)
	if in.Key >= firstNamed {
		if p := m.named.numbered(in.Key); p != nil { // nil: the user has removed it
			p.resolved(now, got.Addrs, reason, m.rng, out)
		}
		return
	}
	addrs := got.Addrs[:min(len(got.Addrs), maxSeedAddrs)]
	if len(addrs) > 0 {
		m.gossip.learn(seedAddrs(now, addrs, m.rng), addrs[0])
	}
	if over := m.seeds.resolved(now, in.Key, len(addrs), reason, m.rng, out); over && m.seeds.found == 0 {
		m.alone.say(m.seats().ready, fmt.Sprintf("none of the %d DNS seeds answered", len(m.seeds.hosts)), m.seeds.at.Sub(now), out)
	}
}

// onAddNode answers the RPC addnode.
func (m *Machine) onAddNode(now time.Time, q AddNode, call actor.Call[Done], out *actor.Outbox) {
	t, ok := hostport.Parse(q.Addr, m.cfg.DefaultPort)
	call.Answer(out, Done{Err: m.named.change(now, q.Command, t, ok)})
}
