package sim_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/peer"
)

// Some cells of connections stop answering the Sends of netsync, of relay, or all. Others refuse
// one in three, and all have room for one question. A connection whose cell does not answer must
// end. A message of relay that was refused must come again.
var sends = scenario{
	name: "TestSendsWithoutAnswer", seeds: 4, net: smoothNet, size: 4,
	bounds: bounds{rough: 20 * time.Minute, agree: 20 * time.Minute, news: time.Minute},
	build: func(c *town) {
		d := &doctor{town: c, ends: map[string]int{}}
		c.around, c.meddle = d.watch, d.look
		c.bounds = func(s *node.Settings) { s.Limits.PeerQuestions = 1 }
		settlers(c, 4, quick, func(i int, has *belongings) {
			if i < 2 {
				has.mine.Every, has.mine.Count = 2*time.Minute, 8
			}
		})
		c.wishes = append(c.wishes, wish{"netsync and relay have each ended a connection, and some Sends were refused", 0, func() bool {
			return d.ends[unread] > 0 && d.ends[untaken] > 0 && d.refused > 0
		}})
	},
}

func TestSendsWithoutAnswer(t *testing.T) { try(t, &sends) }

// The reasons with which netsync and relay end a connection whose cell does not answer.
const (
	unread  = "does not read what it is sent"
	untaken = "it does not take what it asked for"
)

// doctor knows which connections' cells are numb.
type doctor struct {
	town     *town
	patients []*numb
	ends     map[string]int // connections, by the reason
	refused  int            // Sends that cells have refused
}

// watch makes some cells of connections numb, and listens to the server for their ends.
func (d *doctor) watch(n *resident, id actor.ID, m actor.Machine) actor.Machine {
	switch {
	case id == node.Server:
		return &mutant{Machine: m, after: func(in actor.Input, _ *actor.Outbox) {
			if gone, ok := in.Body.(peer.Gone); ok {
				d.ended(n, gone)
			}
		}}
	case id.Parent() == 0:
		return m
	}
	x := &numb{Machine: m, doctor: d, home: n, id: id, rng: d.town.seeded(), lost: map[actor.ID]time.Time{}}
	switch x.rng.IntN(4) {
	case 0:
		x.deaf = map[actor.ID]bool{node.Relay: true}
	case 1:
		x.deaf = map[actor.ID]bool{node.Netsync: true}
	case 2:
		x.deaf = map[actor.ID]bool{node.Relay: true, node.Netsync: true, node.Server: true}
	}
	x.hears = x.rng.IntN(10)
	d.patients = append(d.patients, x)
	return x
}

func (d *doctor) ended(n *resident, gone peer.Gone) {
	d.ends[gone.Reason]++
	if gone.Fault {
		d.town.accuse(fmt.Errorf("%s blames %v: %s", n.Name, gone.Remote, gone.Reason))
	}
}

// look finds connections that should have ended, and messages that should have come again.
func (d *doctor) look() {
	alive := d.patients[:0]
	for _, x := range d.patients {
		c := x.home.Sys.Lookup(x.id)
		if c == nil || c.Ended() {
			continue
		}
		alive = append(alive, x)
		for by, since := range x.lost {
			if d.town.Now.Sub(since) > x.patience(by) {
				d.town.accuse(fmt.Errorf("%s: %s lives %v after it has lost a Send of cell %v", x.home.Name, c.Name, x.patience(by), by))
			}
		}
		if x.again != nil && d.town.Now.Sub(x.since) > time.Minute {
			d.town.accuse(fmt.Errorf("%s: %s has refused a message, which does not come again within a minute", x.home.Name, c.Name))
		}
	}
	d.patients = alive
}

// numb is the cell of a connection that loses Sends of some cells, or refuses some.
type numb struct {
	actor.Machine
	*doctor
	home  *resident
	id    actor.ID
	rng   *rand.Rand
	deaf  map[actor.ID]bool      // to whom; nil: it refuses now and then
	hears int                    // Sends before that
	lost  map[actor.ID]time.Time // when the first Send of a cell was lost
	again *peer.Send             // what relay must send again
	since time.Time              // ... from when on
}

// patience is within which time the cell must have ended after a Send was lost. Relay waits for
// one. Netsync waits for two, and has something to say every quarter of an hour at least. The
// server's addresses need not arrive.
func (x *numb) patience(by actor.ID) time.Duration {
	w, sync := x.home.limits.Windows, x.home.limits.Netsync
	switch by {
	case node.Relay:
		return w.RelaySend + 10*time.Second
	case node.Netsync:
		return 2*w.ToPeer + sync.StaleTip*5/4 + sync.Pause + 10*time.Second
	}
	return 24 * time.Hour
}

func (x *numb) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	q, ok := in.Body.(peer.Send)
	if !ok {
		x.Machine.Step(now, in, out)
		return
	}
	if in.From == node.Relay && x.again != nil {
		x.compare(q)
	}
	x.hears--
	_, numb := x.lost[in.From]
	switch {
	case numb || !x.town.calm && x.hears < 0 && x.deaf[in.From]:
		if !numb {
			x.lost[in.From] = x.town.Now
		}
	case x.deaf == nil && !x.town.calm && x.rng.IntN(3) == 0:
		q.Call(in).Refuse(out)
		x.doctor.refused++
		if in.From == node.Relay {
			x.again, x.since = &q, x.town.Now
		}
	default:
		x.Machine.Step(now, in, out)
	}
}

// compare verifies that a message is the one that was refused.
func (x *numb) compare(q peer.Send) {
	was := x.again
	x.again = nil
	if len(was.Msgs) != len(q.Msgs) || len(was.Payloads) != len(q.Payloads) || len(q.Msgs) > 0 && was.Msgs[0] != q.Msgs[0] {
		x.town.accuse(fmt.Errorf("%s: relay sends something else than the message that was refused", x.home.Name))
	}
}
