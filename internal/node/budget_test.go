package node

import (
	"fmt"
	"strings"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/golden"
	"acyclic/peer"
	"acyclic/server"
)

// defaultPlan is the wiring of a node with the default knobs and one listener.
func defaultPlan() (*cell.Plan, Limits) {
	l := Derive(125, RPCHandlers)
	s := Settings{Limits: l, Peer: peer.Config{Bounds: l.Peer}, Server: server.Config{Bounds: l.Server}, Listeners: 1}
	e := func(id actor.ID, name string) cell.Adapter { return cell.Adapter{ID: id, Name: name} }
	return Wire(s, Adapters{
		Worker: e(EngineWorker, "engine"), Readers: e(EngineReaders, "readers"),
		Transport: e(Transport, "transport"), Book: e(Book, "book"), Resolver: e(Resolver, "resolver"),
	}), l
}

// BUDGET.md is the wiring as it is: what may ask what and how much, what hears
// what, and what every inbox holds at most (law L4).
func TestL4BudgetTableIsTrue(t *testing.T) {
	plan, limits := defaultPlan()
	golden.Equal(t, "BUDGET.md", []byte(strings.Join([]string{
		"# What may be outstanding\n\nMade from the wiring by `go test ./internal/node -run Budget -update`, for the default of 125 peers.\n",
		"## Ports\n\nHow many questions may be open on each port, and when one ends in `ErrTimeout`.\n", portTable(plan),
		"## Topics\n", topicTable(plan),
		"## Inboxes\n\nHow many inputs each inbox holds at most, by lane.\n", budgetTable(plan, limits),
	}, "\n")))
}

// namesOf maps IDs to names.
func namesOf(p *cell.Plan) map[actor.ID]string {
	names := map[actor.ID]string{0: "a peer"}
	for _, c := range p.Cells {
		names[c.ID] = c.Name
	}
	for _, e := range p.Adapters {
		names[e.ID] = e.Name + " (adapter)"
	}
	for _, s := range p.Subscribers {
		names[s.ID] = s.Name + " (adapter)"
	}
	return names
}

func portTable(p *cell.Plan) string {
	var b strings.Builder
	names := namesOf(p)
	b.WriteString("| port | asks | outstanding at most | timeout |\n| --- | --- | ---: | ---: |\n")
	rows := func(ports []actor.PortSpec, each string) {
		for _, port := range ports {
			fmt.Fprintf(&b, "| `%s` | %s | %d%s | %v |\n", port.Name, names[port.To], port.Window, each, port.Timeout)
		}
	}
	for _, c := range p.Cells {
		rows(c.Ports, "")
	}
	seen := map[string]bool{}
	for _, a := range p.Askers {
		if !seen[a.Name] {
			seen[a.Name] = true
			rows(a.Ports, " each")
		}
	}
	return b.String()
}

func topicTable(p *cell.Plan) string {
	var b strings.Builder
	names := namesOf(p)
	b.WriteString("| topic | kind | subscribers | when one is slow |\n| --- | --- | --- | --- |\n")
	slow := map[actor.TopicKind]string{
		actor.StateTopic:   "it sees the latest value only",
		actor.StreamTopic:  "it is told Lagged with the number of lost events",
		actor.LedgerTopic:  "nothing is lost; a seat comes free when it has seen the end",
		actor.TrafficTopic: "the sockets it comes from are not read",
	}
	for _, t := range p.Topics {
		var subs []string
		for _, s := range t.Subs {
			subs = append(subs, names[s])
		}
		fmt.Fprintf(&b, "| `%s` | %v | %s | %s |\n", t.Name, t.Kind, strings.Join(subs, ", "), slow[t.Kind])
	}
	return b.String()
}

func budgetTable(p *cell.Plan, l Limits) string {
	var b strings.Builder
	b.WriteString("| inbox of | control | answers | events | questions | inbound |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	row := func(name string, id actor.ID, ports []actor.PortSpec) {
		s := p.Spec(id, ports)
		answers, events := 0, s.States
		for _, port := range ports {
			answers += port.Window
		}
		for _, st := range s.Streams {
			events += st.Cap + 1
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", name, s.Control, answers, events, s.Questions, s.Inbound)
	}
	for _, c := range p.Cells {
		row(c.Name, c.ID, c.Ports)
	}
	for _, e := range p.Adapters {
		row(e.Name+" (adapter)", e.ID, nil)
	}
	for _, k := range p.Kinds {
		s := p.KindSpec(k)
		fmt.Fprintf(&b, "| each %s | %d | 0 | %d | %d | %d |\n", k.Name, s.Control, s.States, s.Questions, s.Inbound)
	}
	fmt.Fprintf(&b, "\nConnection cells: %d seats. Credit of a connection: %d messages, %d MiB. What remote peers can make the node\nhold at worst, in memory: %d MiB.\n",
		l.Seats, l.Credit.Msgs, l.Credit.Bytes>>20, l.MemoryAtWorst()>>20)
	return b.String()
}

// An inbox is sized to the sum of its callers' windows: a wiring in which a
// caller is forgotten is noticed, because the table changes.
func TestL4InboxIsASum(t *testing.T) {
	plan, _ := defaultPlan()
	want := 0
	for _, c := range plan.Cells {
		for _, port := range c.Ports {
			if port.To == Chain {
				want += port.Window
			}
		}
	}
	for _, a := range plan.Askers {
		for _, port := range a.Ports {
			if port.To == Chain {
				want += port.Window
			}
		}
	}
	if got := plan.Spec(Chain, nil).Questions; got != want || got == 0 {
		t.Errorf("chain's inbox holds %d questions, its callers may have %d outstanding", got, want)
	}
	plan.Askers = plan.Askers[1:]
	plan.Cells = plan.Cells[1:]
	for i := range plan.Cells {
		plan.Cells[i].Ports = nil
	}
	if got := plan.Spec(Chain, nil).Questions; got >= want {
		t.Errorf("with callers taken away the inbox still holds %d", got)
	}
}
