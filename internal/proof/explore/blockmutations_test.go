package explore

import (
	"reflect"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/node"
)

// machine reaches the fields of a component's machine, to break it.
func machine(w *World, id actor.ID) reflect.Value {
	return reflect.ValueOf(w.Machine(id)).Elem()
}

// breaking breaks a component after each of its runs.
func breaking(id actor.ID, how func(w *World, m reflect.Value)) fault {
	return func(sc *Scenario) {
		sc.Mutate = func(w *World, c *cell.Cell) {
			if c.ID == id && w.Machine(id) != nil {
				how(w, machine(w, id))
			}
		}
	}
}

// endless has peers that were late rest for ever.
func endless(w *World, m reflect.Value) {
	ready := inside(m, "facts").Elem().FieldByName("ready")
	for i := range ready.Len() {
		if at := inside(ready.Index(i).Elem(), "orders", "restUntil"); !at.Interface().(time.Time).IsZero() {
			at.Set(reflect.ValueOf(w.Clock.Add(time.Hour)))
		}
	}
}

// deafTo empties what one component hears, and leaves the input.
func deafTo(id actor.ID, empty func(e *mailbox.Envelope)) fault {
	return func(sc *Scenario) {
		sc.Deliver = func(_ *World, c *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope {
			for i := range batch {
				if c.ID == id {
					empty(&batch[i])
				}
			}
			return batch
		}
	}
}

// wide gives chain two slots for transactions at the worker.
func wide(sc *Scenario) {
	plan := sc.Plan
	sc.Plan = func(w *World) *cell.Plan {
		p := plan(w)
		for _, c := range p.Cells {
			for i := range c.Ports {
				if c.Ports[i].Name == "chain.apply-tx" {
					c.Ports[i].Window = 2
				}
			}
		}
		return p
	}
}

// transactions offers two of them beside a block.
func transactions(o *outsideWorld) { o.RPC = []string{"a transaction", "another transaction"} }

// blockMutations are those that show in a world with blocks, dials and bans.
var blockMutations = []mutation{
	{"L8", "chain gives the worker two transactions at a time", func() *Scenario {
		return blocksScenario("", a1, []manner{honest(a2)}, nil, around(transactions), wide)
	}, "a block may have to wait"},
	{"L2", "chain loses a transaction that was late", func() *Scenario {
		return blocksScenario("", genesis, []manner{honest(genesis)}, nil, around(transactions), late, tuned(impatientChain, node.Relay, node.Netsync),
			func(sc *Scenario) {
				sc.Deliver = without(node.Chain, func(e *mailbox.Envelope) bool {
					_, tx := e.In.Body.(chain.TxApplied)
					return tx && e.In.Err == actor.ErrTimeout
				})
			})
	}, "law L2"},
	{"L9", "an order that is late is never given to another peer", func() *Scenario {
		return blocksScenario("", genesis, withholder(), nil, tuned(func(s *node.Settings) {
			s.Limits.Netsync.OrderTimeout, s.Limits.Netsync.UrgentAfter = time.Hour, time.Hour
		}, node.Relay))
	}, "the node stays at block"},
	{"L9", "a peer that lacked a block once rests for ever", func() *Scenario {
		lacking := honest(a1)
		lacking.Lacks = 1
		return blocksScenario("", genesis, []manner{lacking}, nil, breaking(node.Netsync, endless))
	}, "the node stays at block"},
	{"L9", "netsync is told that nothing is missing on a path", func() *Scenario {
		return blocksScenario("", genesis, []manner{honest(a1)}, nil, deafTo(node.Netsync, func(e *mailbox.Envelope) {
			if p, ok := e.In.Body.(chain.Path); ok {
				p.Missing = nil
				e.In.Body = p
			}
		}))
	}, "the node stays at block"},
	{"L9", "the place of a dial that failed is not given back", func() *Scenario {
		return dialScenario(breaking(node.Server, func(w *World, m reflect.Value) {
			list := inside(m, "dials", "list")
			if list.Len() == 0 && inside(m, "outbound", "fails").Int() > 0 {
				list.Set(reflect.Append(list, reflect.Zero(list.Type().Elem())))
			}
		}))
	}, "nobody dials"},
	{"L9", "a ban is not obeyed", func() *Scenario {
		return banScenario(breaking(node.Server, func(_ *World, m reflect.Value) {
			inside(m, "bans", "until").Clear()
			inside(m, "bans", "order").SetLen(0)
		}))
	}, "an address that is banned"},
}
