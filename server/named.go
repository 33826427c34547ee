package server

import (
	"fmt"
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
	// dialledRetry is when a peer is tried again that is being dialled for
	// another reason.
	dialledRetry = 5 * time.Second
)

// phase is where a named peer is in its life (see doc.go).
type phase uint8

const (
	waiting phase = iota // for its time
	resolving
	dialling
	linked // has a slot
)

// named is a peer that the user has named.
type named struct {
	target hostport.Addr
	keep   bool // tried for ever; otherwise once (addnode onetry)
	rpc    bool // from addnode

	phase  phase
	at     time.Time        // waiting: until then
	addrs  []netip.AddrPort // to be tried one after the other
	ticket actor.Ticket     // resolving, dialling
	peer   actor.ID         // linked
	tries  int              // failures in a row
	told   bool             // the user has been told of the failure

	starved bool // waiting: a port had no slot; an answer or Freed is waited for, no clock
}

func (n *named) becomeWaiting(at time.Time) {
	n.phase, n.at, n.ticket, n.peer, n.starved = waiting, at, 0, 0, false
}

func (n *named) becomeResolving(t actor.Ticket) {
	n.must(waiting)
	n.phase, n.ticket = resolving, t
}

func (n *named) becomeDialling(t actor.Ticket) {
	n.must(waiting)
	n.phase, n.ticket = dialling, t
}

func (n *named) becomeLinked(id actor.ID) {
	if n.phase != dialling {
		n.must(waiting)
	}
	n.phase, n.peer, n.ticket, n.addrs = linked, id, 0, nil
}

func (n *named) must(p phase) {
	if n.phase != p {
		panic(fmt.Sprintf("server: %v is in phase %d, not %d", n.target, n.phase, p))
	}
}

func (m *Machine) findNamed(t hostport.Addr) int {
	return slices.IndexFunc(m.named, func(n named) bool { return n.target == t })
}

func (m *Machine) findDialling(t actor.Ticket) int {
	return slices.IndexFunc(m.named, func(n named) bool { return n.phase == dialling && n.ticket == t })
}

// linkedTo says whether a peer is the one that the user calls t.
func (m *Machine) linkedTo(id actor.ID, t hostport.Addr) bool {
	i := m.findNamed(t)
	return i >= 0 && m.named[i].phase == linked && m.named[i].peer == id
}

// kept counts the named peers that have a place kept free.
func (m *Machine) kept() int {
	n := 0
	for i := range m.named {
		if m.named[i].keep {
			n++
		}
	}
	return n
}

// added counts the named peers that came from addnode.
func (m *Machine) added() int {
	n := 0
	for i := range m.named {
		if m.named[i].rpc {
			n++
		}
	}
	return n
}

// tendNamed moves on every named peer whose time has come.
func (m *Machine) tendNamed(now time.Time, out *actor.Outbox) {
	for i := 0; i < len(m.named); i++ {
		if n := &m.named[i]; n.phase == waiting && !n.at.After(now) {
			if removed := m.tryNamed(now, i, out); removed {
				i--
			}
		}
	}
}

// tryNamed takes the next step towards a connection.
func (m *Machine) tryNamed(now time.Time, i int, out *actor.Outbox) (removed bool) {
	n := &m.named[i]
	if lit := n.target.Literal(); len(n.addrs) == 0 && lit.IsValid() {
		n.addrs = []netip.AddrPort{lit}
	}
	if len(n.addrs) == 0 {
		t, ok := m.ports.Resolve.Ask(out, 0, Resolve{Host: n.target.Host, Port: n.target.Port})
		n.starved = !ok
		if !ok {
			return false
		}
		n.becomeResolving(t)
		return false
	}

	addr := n.addrs[0]
	if j := slices.IndexFunc(m.slots, func(s slot) bool { return s.remote == addr }); j >= 0 {
		s := &m.slots[j] // it is connected already
		removed = m.namedLinked(i, s.id)
		if s.shook {
			m.namedReady(s.id)
		}
		return removed
	}
	switch {
	case m.dialled(addr):
		n.becomeWaiting(now.Add(dialledRetry)) // by us for another reason
	case m.full() && !n.keep:
		out.Log(actor.Info, "addnode onetry: all places are taken", "addr", n.target)
		m.named = slices.Delete(m.named, i, i+1)
		return true
	case m.full():
		// A kept peer waits for the next place: inbound cannot take it.
	default:
		t, ok := m.startDial(addr, false, out)
		n.starved = !ok
		if ok {
			n.addrs = n.addrs[1:]
			n.becomeDialling(t)
		}
	}
	return false
}

// namedDue is when tendNamed has something to do. When all places are taken the
// end of a peer calls us.
func (m *Machine) namedDue() time.Time {
	var d deadline
	if m.full() {
		return time.Time{}
	}
	for i := range m.named {
		if n := &m.named[i]; n.phase == waiting && !n.starved {
			d.at(later(m.settled, n.at))
		}
	}
	return d.t
}

// onResolved takes the addresses of a named peer or of a seed.
func (m *Machine) onResolved(now time.Time, in actor.Input, got Resolved, out *actor.Outbox) {
	i := slices.IndexFunc(m.named, func(n named) bool { return n.phase == resolving && n.ticket == in.Ticket })
	if i < 0 {
		m.onSeedResolved(now, in, got, out)
		return
	}
	reason := got.Err
	if in.Err != nil {
		reason = in.Err.Error()
	}
	n := &m.named[i]
	for _, addr := range got.Addrs[:min(len(got.Addrs), maxNamedAddrs)] {
		n.addrs = append(n.addrs, plain(addr))
	}
	if len(n.addrs) == 0 {
		if reason == "" {
			reason = "the name has no address"
		}
		m.namedFailed(now, i, reason, out)
		return
	}
	n.becomeWaiting(now)
}

// maxNamedAddrs is how many addresses of one name are tried before the name is
// looked up again.
const maxNamedAddrs = 8

// namedFailed notes that an address did not work: the next one is tried, or
// after the last one everything again after a while. The user is told the first
// time; after that it is only for debugging, until it has worked.
func (m *Machine) namedFailed(now time.Time, i int, reason string, out *actor.Outbox) {
	n := &m.named[i]
	if len(n.addrs) > 0 {
		n.becomeWaiting(now)
		return
	}
	if !n.keep {
		out.Log(actor.Info, "addnode onetry: no connection", "addr", n.target, "reason", reason)
		m.named = slices.Delete(m.named, i, i+1)
		return
	}
	n.tries++
	wait := backoff(m.rng, namedRetry, namedRetryMax, n.tries)
	n.becomeWaiting(now.Add(wait))
	level := actor.Warn
	if n.told {
		level = actor.Debug
	}
	n.told = true
	out.Log(level, "no connection to "+n.target.String()+"; trying on", "reason", reason, "next", wait.Round(time.Second))
}

// namedLinked notes that a named peer has its connection.
func (m *Machine) namedLinked(i int, id actor.ID) (removed bool) {
	if !m.named[i].keep {
		m.named = slices.Delete(m.named, i, i+1) // it was tried once
		return true
	}
	m.named[i].becomeLinked(id)
	return false
}

// namedReady ends the row of failures: only a handshake counts.
func (m *Machine) namedReady(id actor.ID) {
	for i := range m.named {
		if n := &m.named[i]; n.phase == linked && n.peer == id {
			n.tries, n.told = 0, false
		}
	}
}

// namedEnded brings a named peer that was connected back into its back-off.
func (m *Machine) namedEnded(now time.Time, s slot, reason string, out *actor.Outbox) {
	for i := len(m.named) - 1; i >= 0; i-- {
		n := &m.named[i]
		if n.phase != linked || n.peer != s.id {
			continue
		}
		// The loss of a good connection has been logged.
		n.told = n.told || s.shook
		m.namedFailed(now, i, reason, out)
		if s.shook && i < len(m.named) {
			m.named[i].told = false
		}
	}
}

// onAddNode is the RPC addnode. Like Bitcoin Core's it only changes the list:
// the name is looked up when its time comes, and remove leaves the connection.
func (m *Machine) onAddNode(now time.Time, q AddNode, call actor.Call[Done], out *actor.Outbox) {
	call.Answer(out, Done{Err: m.addNode(now, q)})
}

func (m *Machine) addNode(now time.Time, q AddNode) DoneError {
	t, ok := hostport.Parse(q.Addr, m.cfg.DefaultPort)
	i := m.findNamed(t)
	switch q.Command {
	case "add", "onetry":
		keep := q.Command == "add"
		switch {
		case !ok:
			return BadAddress
		case i >= 0 && m.named[i].keep && keep:
			return AlreadyAdded
		case i >= 0:
			// It is being tried already.
			m.named[i].keep = m.named[i].keep || keep
		case m.added() >= m.cfg.MaxAdded:
			return TooManyAdded
		default:
			m.named = append(m.named, named{target: t, keep: keep, rpc: true, at: now})
		}
	case "remove":
		if !ok || i < 0 || !m.named[i].keep {
			return NotAdded
		}
		m.named = slices.Delete(m.named, i, i+1)
	default:
		return BadCommand
	}
	return ""
}
