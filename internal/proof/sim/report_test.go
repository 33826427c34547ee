package sim_test

import (
	"cmp"
	"fmt"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/sim"
)

// report is where to begin to look for a failure.
func (c *town) report() string {
	s := fmt.Sprintf("after %v and %d steps\n", c.Now.Sub(sim.Epoch), c.Steps)
	for _, n := range c.nodes {
		tips := n.store.Tips()
		s += fmt.Sprintf("%s: height %d, header %d, %d connections, %d deaths, halted %v, stopped %v\n", n.Name,
			tips.Block.Height, tips.Header.Height, n.adapter.Conns(), n.Deaths, n.Halted, n.Stopped())
		s += "  sync " + fmt.Sprintf("%+v", n.client.sync) + "\n"
		for _, p := range n.client.peers.Peers {
			s += fmt.Sprintf("  %+v\n", p)
		}
		s += n.open()
		for _, rec := range n.Records[max(0, len(n.Records)-5):] {
			s += fmt.Sprintf("  %v %s: %s %v\n", rec.At.Sub(sim.Epoch), rec.Cell, rec.Msg, rec.Fields)
		}
	}
	return s
}

// open lists what is under way in a node.
func (n *resident) open() (s string) {
	for _, x := range n.Sys.Cells() {
		st := x.Stats()
		if st.Asking+st.Zombies+st.Owing > 0 || st.Depth != [actor.NumLanes]int{} {
			s += fmt.Sprintf("  %s: queued %v, asks %d, given up %d, owes %v\n", x.Name, st.Depth, st.Asking, st.Zombies, x.Mail.Owed())
		}
	}
	return cmp.Or(s, "  nothing is under way\n")
}
