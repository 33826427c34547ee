package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/node"
)

// audit compares what the cells of each node say of each other.
func (c *town) audit() {
	for _, n := range c.nodes {
		if err := n.audit(); err != nil {
			c.accuse(fmt.Errorf("%s: %w", n.Name, err))
		}
	}
}

// audit verifies between two batches that the bus has counted its seats, that each question
// stands in two books, the asker's and the target's (law L3), and that a mailbox names its
// oldest input (law L12).
func (n *resident) audit() error {
	if err := n.Sys.Bus().Check(); err != nil {
		return err
	}
	for _, l := range n.Sys.Bus().Lives() {
		if x := n.Sys.Lookup(l.ID); !l.Dead && (x == nil || x.Ended()) {
			return fmt.Errorf("the bus says that %v lives, and there is no such cell", l.ID)
		}
	}
	for _, x := range n.Sys.Cells() {
		if err := n.auditCell(x); err != nil {
			return fmt.Errorf("%s: %w", x.Name, err)
		}
	}
	return nil
}

func (n *resident) auditCell(x *cell.Cell) error {
	asking, st := x.Mail.Asking(nil), x.Stats()
	for _, q := range asking {
		if to := n.Sys.Lookup(q.Call.To); to != nil && !to.Ended() && !slices.Contains(to.Mail.Owed(), q.Call) {
			return fmt.Errorf("it asks %s, port %s, and %s owes nothing", to.Name, x.Ports()[q.Port].Name, to.Name)
		}
	}
	for _, call := range x.Mail.Owed() {
		by := n.Sys.Lookup(call.Asker)
		if by != nil && !by.Ended() && !slices.ContainsFunc(by.Mail.Asking(nil), func(q mailbox.Open) bool { return q.Call == call }) {
			return fmt.Errorf("it owes %s an answer, and %s has not asked", by.Name, by.Name)
		}
	}
	if len(asking) != st.Asking+st.Zombies {
		return fmt.Errorf("%d questions are listed, %d are counted and %d given up", len(asking), st.Asking, st.Zombies)
	}
	box, _ := x.Mail.Save()
	for lane := range actor.NumLanes {
		if all := box.Queued(actor.Lane(lane)); len(all) != st.Depth[lane] {
			return fmt.Errorf("%d inputs stand in lane %v, %d are counted", len(all), actor.Lane(lane), st.Depth[lane])
		}
	}
	if due, _ := box.Tickets(nil); len(due) < st.Asking {
		return fmt.Errorf("%d answers are to come for %d questions", len(due), st.Asking)
	}
	oldest, queued := x.Mail.Oldest()
	if now := n.clock(n.Now()).Add(time.Hour); queued && mailbox.Age(oldest.Since, now) < 0 {
		return fmt.Errorf("its oldest input comes from %v, and it is %v", mailbox.Until(oldest.Since, now), now)
	}
	if queued != (st.Depth != [actor.NumLanes]int{}) || queued && (oldest.Since != st.Oldest || oldest.Type == nil || st.Depth[oldest.Lane] == 0) {
		return fmt.Errorf("the oldest input is %+v, and %v are queued since %d", oldest, st.Depth, st.Oldest)
	}
	return nil
}

// moves lets a node go on, now and then, in another system that is made of its plan. What is
// done with the twin instead is up to with.
func moves(with func(n *resident, twin *cell.System)) func(*town) {
	return func(c *town) {
		rng := c.seeded()
		c.meddle = func() {
			n := c.nodes[rng.IntN(len(c.nodes))]
			if rng.IntN(200) != 0 {
				return
			}
			c.twins = true
			twin := n.Twin()
			c.twins = false
			with(n, twin)
		}
	}
}

// What a node is, is in the snapshots of its cells and its bus: worlds whose nodes are moved
// into other systems at any moment run the same way as worlds in which they are not.
func TestSnapshotsHoldTheWholeNode(t *testing.T) {
	for _, s := range []*scenario{&roughNetwork, &deaths, &strangers} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			moved := 0
			stayed := hashOf(t, s, 1, moves(func(*resident, *cell.System) {}))
			went := hashOf(t, s, 1, moves(func(n *resident, twin *cell.System) { n.Move(twin); moved++ }))
			if went != stayed || moved == 0 {
				t.Errorf("the hash is %x, and %x with %d moves", stayed, went, moved)
			}
		})
	}
}

// The control: a move in which relay forgets everything is another run.
func TestSnapshotsThatForgetAreFound(t *testing.T) {
	s := &roughNetwork
	stayed := hashOf(t, s, 1, moves(func(*resident, *cell.System) {}))
	c, err := s.run(1, moves(func(n *resident, twin *cell.System) {
		forgetful := twin.Lookup(node.Relay).Save()
		n.Move(twin)
		twin.Load(forgetful)
	}))
	if err == nil && c.Hash() == stayed {
		t.Error("the hash is the same")
	}
}
