package sim_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/server"
)

const operatorID actor.ID = 92

// operator gives a server orders by RPC: it adds, tries and removes peers, and ends
// connections. It knows what each order must be answered.
type operator struct {
	town *town
	home *resident
	rng  *rand.Rand
	add  actor.Port[server.AddNode, server.Done]
	drop actor.Port[server.DisconnectNode, server.Done]

	names []string        // that it uses
	most  int             // how many it may have added
	kept  map[string]bool // what it has added and not removed
	tried int             // how many peers were to be tried once; some may not have been yet

	order  any // under way: AddNode or DisconnectNode; nil: none
	next   time.Time
	ending actor.ID // a connection that it has ended; zero: none
	endBy  time.Time
}

// employ gives a node an operator. In calm it stops, and its peers must be connected.
func (c *town) employ(n *resident, plan *cell.Plan, most int) {
	var p actor.Ports
	o := &operator{
		town: c, home: n, rng: c.seeded(), most: most, kept: map[string]bool{},
		add:  actor.Connect[server.AddNode](&p, "operator.add", node.ToServer, 1, time.Minute),
		drop: actor.Connect[server.DisconnectNode](&p, "operator.drop", node.ToServer, 1, time.Minute),
	}
	for i, a := range c.addrs {
		o.names = append(o.names, a.String(), alias(i))
	}
	o.names = append(o.names, "nowhere.town", "7.7.7.7:7", "not an address")
	plan.Cells = append(plan.Cells, cell.Static{ID: operatorID, Name: "operator", Ports: p.Specs, Build: func(uint32) actor.Machine { return o }})
	c.wishes = append(c.wishes, wish{"the peers that the operators have added are connected", time.Hour, o.connected()})
}

// alias is the name of the town's node i.
func alias(i int) string { return fmt.Sprintf("node%d.town", i) }

// connected makes a condition that each peer that was added, and is another node of the
// town, must meet at some moment.
func (o *operator) connected() func() bool {
	met := map[string]bool{}
	return func() bool {
		all := true
		for name := range o.kept {
			to := o.leads(name)
			met[name] = met[name] || !to.IsValid() || to == o.home.adapter.Addr() || o.home.adapter.Reaches(to)
			all = all && met[name]
		}
		return all
	}
}

// leads is the node of the town that a name leads to in calm.
func (o *operator) leads(name string) netip.AddrPort {
	for i, a := range o.town.addrs {
		if name == a.String() || name == alias(i) {
			return a
		}
	}
	return netip.AddrPort{}
}

func (o *operator) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		o.verify(now)
		if !o.town.calm {
			o.command(out)
		}
	case server.Done:
		order := o.order
		o.order = nil
		if in.Err != nil {
			o.town.accuse(fmt.Errorf("%s: the operator is not answered: %w", o.home.Name, in.Err))
		} else if !o.expects(now, order, b.Err) {
			o.town.accuse(fmt.Errorf("%s: %+v is answered %q, with %v added", o.home.Name, order, b.Err, o.kept))
		}
	}
	if o.order == nil {
		o.next = now.Add(time.Duration(o.rng.Int64N(int64(20 * time.Second))))
	}
}

// command gives an order.
func (o *operator) command(out *actor.Outbox) {
	name := o.names[o.rng.IntN(len(o.names))]
	if o.rng.IntN(4) == 0 {
		q := server.DisconnectNode{Addr: name}
		if k := o.home.client.conns.Peers; len(k) > 0 && o.ending == 0 && o.rng.IntN(2) == 0 {
			q = server.DisconnectNode{Peer: k[o.rng.IntN(len(k))].Peer}
		}
		if _, ok := o.drop.Ask(out, 0, q); ok {
			o.order = q
		}
		return
	}
	q := server.AddNode{Command: []string{"add", "add", "remove", "onetry", "dance"}[o.rng.IntN(5)], Addr: name}
	if _, ok := o.add.Ask(out, 0, q); ok {
		o.order = q
	}
}

// expects says whether an order is answered as it must be, and notes what has changed.
func (o *operator) expects(now time.Time, order any, got server.DoneError) bool {
	switch q := order.(type) {
	case server.DisconnectNode:
		_, ok := hostport.Parse(q.Addr, defaultPort)
		if q.Peer == 0 && !ok {
			return got == server.BadAddress
		}
		if q.Peer != 0 && got == "" {
			o.ending, o.endBy = q.Peer, now.Add(time.Minute)
		}
		return got == "" || got == server.Unconnected
	case server.AddNode:
		return o.added(q, got)
	}
	return false
}

func (o *operator) added(q server.AddNode, got server.DoneError) bool {
	_, ok := hostport.Parse(q.Addr, defaultPort)
	switch kept := o.kept[q.Addr]; {
	case q.Command == "dance":
		return got == server.BadCommand
	case q.Command == "remove" && !kept:
		return got == server.NotAdded
	case q.Command == "remove":
		delete(o.kept, q.Addr)
		return got == ""
	case !ok:
		return got == server.BadAddress
	case q.Command == "add" && kept:
		return got == server.AlreadyAdded
	case got == server.TooManyAdded:
		return len(o.kept)+o.tried >= o.most
	case q.Command == "add":
		o.kept[q.Addr] = true
		return got == "" && len(o.kept) <= o.most
	}
	o.tried++
	return got == ""
}

// verify looks whether a connection that was to end has ended.
func (o *operator) verify(now time.Time) {
	if o.ending == 0 || now.Before(o.endBy) {
		return
	}
	if x := o.home.Sys.Lookup(o.ending); x != nil && !x.Ended() {
		o.town.accuse(fmt.Errorf("%s: %s lives, and the operator has ended it", o.home.Name, x.Name))
	}
	o.ending = 0
}

func (o *operator) Deadline() time.Time {
	if o.order != nil || o.town.calm && o.ending == 0 {
		return time.Time{}
	}
	return o.next
}

func (o *operator) Check() error { return nil }
