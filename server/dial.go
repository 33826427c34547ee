package server

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// dial is a connection being made.
type dial struct {
	number uint64 // the key of its question
	addr   netip.AddrPort
	named  uint64 // the number of the named peer; 0: automatic
}

// dials tracks the dials under way, in order of asking.
type dials struct {
	list []dial
	last uint64 // number
}

// start returns false if the port has no slot.
func (d *dials) start(port actor.Port[Dial, Dialed], addr netip.AddrPort, named uint64, out *actor.Outbox) bool {
	if _, ok := port.Ask(out, d.last+1, Dial{Addr: addr}); !ok {
		return false
	}
	d.last++
	d.list = append(d.list, dial{number: d.last, addr: addr, named: named})
	return true
}

// end takes out the dial that was answered.
func (d *dials) end(number uint64) dial {
	i := slices.IndexFunc(d.list, func(d dial) bool { return d.number == number })
	if i < 0 {
		panic(fmt.Sprintf("server: dial %d was answered but is not under way", number))
	}
	ended := d.list[i]
	d.list = slices.Delete(d.list, i, i+1)
	return ended
}

// to says whether an address is being dialled.
func (d *dials) to(addr netip.AddrPort) bool {
	return slices.ContainsFunc(d.list, func(d dial) bool { return d.addr == addr })
}

// near says whether a dial stands in the way of dialling an address.
func (d *dials) near(addr netip.AddrPort) bool {
	return slices.ContainsFunc(d.list, func(d dial) bool { return near(addr, d.addr, true) })
}

func (d *dials) check(rs remotes) error {
	for i, a := range d.list {
		if slices.ContainsFunc(d.list[:i], func(b dial) bool { return b.addr == a.addr }) {
			return fmt.Errorf("%v is dialled twice", a.addr)
		}
		// A peer that we are dialling may come to us from the same address meanwhile.
		if r := rs.at(a.addr); r != nil && !r.inbound {
			return fmt.Errorf("%v is dialled and connected", a.addr)
		}
	}
	return nil
}

// dial begins a connection. It returns false if the port has no slot.
func (m *Machine) dial(addr netip.AddrPort, named uint64, out *actor.Outbox) bool {
	if !m.dials.start(m.ports.Dial, addr, named, out) {
		return false
	}
	if m.seats().ready > 0 {
		// Without a peer our own network may be down. That must not be held
		// against the address (as in Bitcoin Core).
		m.gossip.attempted(addr)
	}
	return true
}

// onDialed ends a dial. The connection becomes a peer or is refused: none is left
// open. An answer that comes after the timeout is not delivered, and the
// transport closes its connection because nobody claims it.
func (m *Machine) onDialed(now time.Time, in actor.Input, got Dialed, out *actor.Outbox) {
	d := m.dials.end(in.Key)
	automatic := d.named == 0
	owner := m.named.numbered(d.named) // nil if the user has removed it
	reason := failure(in.Err, got.Err)
	var id actor.ID
	if reason == "" {
		m.gossip.connected(d.addr)
		switch {
		case automatic && m.bans.has(now, d.addr.Addr()):
			reason = "its host was banned"
		case !automatic && owner == nil:
			reason = "the user has removed it"
		default:
			arg := peer.Arg{Conn: got.Conn, Remote: d.addr, Local: plain(got.Local), Manual: !automatic}
			if id = m.spawn(now, arg, out); id == 0 {
				reason = noSeat
			}
		}
		if id == 0 {
			out.Tell(m.ports.Transport, Refuse{Conn: got.Conn})
		}
	}
	switch {
	case owner != nil && id != 0:
		owner.link(id, false)
	case owner != nil:
		owner.failed(now, d.addr.String()+": "+reason, m.rng, out)
	case id == 0:
		out.Log(actor.Debug, "dialling failed", "addr", d.addr, "reason", reason)
		if automatic {
			m.automaticFailed(now, out)
		}
	}
}

// failure says why a question had no result, "" if it had one.
func failure(err error, said string) string {
	if err != nil {
		return err.Error()
	}
	return said
}
