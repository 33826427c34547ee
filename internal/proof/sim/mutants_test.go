package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/internal/proof/golden"
	"acyclic/peer"
	"acyclic/server"
)

// mutant is a machine of which something is broken.
type mutant struct {
	actor.Machine
	// loses says whether the machine loses an input.
	loses func(in actor.Input) bool
	// instead does what the machine would have done, for inputs that it loses.
	instead func(in actor.Input, out *actor.Outbox)
	// after changes what a step has done.
	after func(in actor.Input, out *actor.Outbox)
	// unclocked says that the machine has no deadline.
	unclocked bool
	// hears says what an input is to the machine.
	hears func(in actor.Input) actor.Input
	// late is by how much the clock goes back at every other input.
	late time.Duration
}

func (m *mutant) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if m.loses != nil && m.loses(in) {
		if m.instead != nil {
			m.instead(in, out)
		}
		return
	}
	if m.late = -m.late; m.late < 0 {
		now = now.Add(m.late)
	}
	if m.hears != nil {
		in = m.hears(in)
	}
	m.Machine.Step(now, in, out)
	if m.after != nil {
		m.after(in, out)
	}
}

func (m *mutant) Deadline() time.Time {
	if m.unclocked {
		return time.Time{}
	}
	return m.Machine.Deadline()
}

// breaks makes one cell of every node a mutant. The ID zero means the peers' cells.
func breaks(id actor.ID, with func() *mutant) func(*cell.Plan) {
	return func(plan *cell.Plan) {
		wrap(plan, func(cell actor.ID, m actor.Machine) actor.Machine {
			if cell != id && (id != 0 || cell.Parent() == 0) {
				return m
			}
			x := with()
			x.Machine = m
			return x
		})
	}
}

// deaf makes a machine that loses inputs of type E.
func deaf[E any]() *mutant {
	return &mutant{loses: func(in actor.Input) bool { _, is := in.Body.(E); return is }}
}

// everyNth makes a machine that loses one in n of the inputs meant.
func everyNth(n int, meant func(actor.Input) bool) *mutant {
	count := 0
	return &mutant{loses: func(in actor.Input) bool {
		if !meant(in) {
			return false
		}
		count++
		return count%n == 0
	}}
}

// hears makes a machine that takes inputs of type E for something else.
func hears[E any](change func(in actor.Input, e *E)) *mutant {
	return &mutant{hears: func(in actor.Input) actor.Input {
		if e, ok := in.Body.(E); ok {
			change(in, &e)
			in.Body = e
		}
		return in
	}}
}

func is[E any](in actor.Input) bool { _, ok := in.Body.(E); return ok }

// mutants are nodes that are each broken in one point. The checks of the scenarios must be
// able to fail, so one of the seeds that are run anyway must show it.
var mutants = []struct {
	name   string
	in     *scenario
	breaks any // func(*cell.Plan), or func(*node.Settings)
}{
	{"netsync loses every 50th answer", &roughNetwork, breaks(node.Netsync, func() *mutant {
		return everyNth(50, func(in actor.Input) bool { return in.Ticket != 0 })
	})},
	{"netsync does not hear Gone", &roughNetwork, breaks(node.Netsync, deaf[peer.Gone])},
	{"relay does not hear Gone", &roughNetwork, breaks(node.Relay, deaf[peer.Gone])},
	{"the server does not hear Ended", &roughNetwork, breaks(node.Server, deaf[actor.Ended])},
	{"a rebuilt server does not hear of its peers", &deaths, breaks(node.Server, deaf[actor.Alive])},
	{"relay announces nothing", &roughNetwork, breaks(node.Relay, deaf[chain.BlockConnected])},
	{"relay serves no blocks", &roughNetwork, breaks(node.Relay, deaf[peer.DataWanted])},
	{"chain forgets every 20th submission", &roughNetwork, breaks(node.Chain, func() *mutant {
		return everyNth(20, is[chain.SubmitBlock])
	})},
	{"peers forget every third Send", &roughNetwork, breaks(0, func() *mutant { return everyNth(3, is[peer.Send]) })},
	{"the server answers twice", &roughNetwork, breaks(node.Server, func() *mutant {
		return &mutant{after: func(in actor.Input, out *actor.Outbox) {
			if q, ok := in.Body.(server.GetStatus); ok {
				q.Call(in).Answer(out, server.Status{})
			}
		}}
	})},
	{"peers close the ledger twice", &roughNetwork, breaks(0, func() *mutant {
		return &mutant{after: func(in actor.Input, out *actor.Outbox) {
			for _, e := range out.Effects() {
				if gone, ok := e.Body.(peer.Gone); ok {
					actor.Ledger[peer.Ready, peer.Gone]{ID: node.PeerLifecycle}.Close(out, gone)
					return
				}
			}
		}}
	})},
	{"netsync has no clock", &stalled, breaks(node.Netsync, func() *mutant { return &mutant{unclocked: true} })},
	{"the server has no clock", &dnsSeeds, breaks(node.Server, func() *mutant { return &mutant{unclocked: true} })},
	{"relay has no clock", &roughNetwork, breaks(node.Relay, func() *mutant { return &mutant{unclocked: true} })},
	{"peers have no clock", &roughNetwork, breaks(0, func() *mutant { return &mutant{unclocked: true} })},
	{"netsync knows one peer at a time", &roughNetwork, breaks(node.Netsync, oneAtATime)},
	{"chain does not stop", &stops, breaks(node.Chain, deaf[actor.Stop])},
	{"netsync does not hear of new tips", &roughNetwork, breaks(node.Netsync, deaf[chain.Tips])},
	{"chain does not hear of timeouts", &engines, breaks(node.Chain, func() *mutant {
		return &mutant{loses: func(in actor.Input) bool { return in.Err == actor.ErrTimeout }}
	})},
	{"time goes back", &clocks, breaks(node.Netsync, func() *mutant { return &mutant{late: time.Second} })},
	{"peers have no clock, and clocks jump", &clocks, breaks(0, func() *mutant { return &mutant{unclocked: true} })},
	{"chain forgets every 20th submission, and all is small", &tiny, breaks(node.Chain, func() *mutant {
		return everyNth(20, is[chain.SubmitBlock])
	})},
	{"netsync knows one peer at a time, among strangers", &strangers, breaks(node.Netsync, oneAtATime)},
	{"the server does not hear Ended, and everything happens", &everything, breaks(node.Server, deaf[actor.Ended])},
	{"relay announces nothing in a large town", &largeTown, breaks(node.Relay, deaf[chain.BlockConnected])},
	{"a name that was looked up in vain is not looked up again", &names, breaks(node.Server, func() *mutant {
		return &mutant{loses: lookupFailed}
	})},
	{"addnode is answered and not obeyed", &names, breaks(node.Server, func() *mutant {
		return &mutant{loses: is[server.AddNode], instead: func(in actor.Input, out *actor.Outbox) {
			in.Body.(server.AddNode).Call(in).Answer(out, server.Done{})
		}}
	})},
	{"disconnectnode is answered and not obeyed", &names, breaks(node.Server, func() *mutant {
		return &mutant{loses: is[server.DisconnectNode], instead: func(in actor.Input, out *actor.Outbox) {
			in.Body.(server.DisconnectNode).Call(in).Answer(out, server.Done{})
		}}
	})},
	{"hosts at fault are not banned", &bans, breaks(node.Server, func() *mutant {
		return hears(func(_ actor.Input, gone *peer.Gone) { gone.Fault = false })
	})},
	{"bans last too long", &bans, func(s *node.Settings) { s.Server.BanDuration *= 2 }},
	{"headers that are too new are a fault", &future, breaks(node.Netsync, func() *mutant {
		return hears(func(_ actor.Input, v *chain.HeadersVerdict) {
			if v.Code == chain.TooNew {
				v.Code = chain.Invalid
			}
		})
	})},
	{"blocks that are too new are a fault", &future, breaks(node.Netsync, func() *mutant {
		return hears(func(_ actor.Input, v *chain.Verdict) {
			if v.Code == chain.TooNew {
				v.Code = chain.Invalid
			}
		})
	})},
	{"what is too new is forgotten for an hour", &future, func(s *node.Settings) { s.Limits.Netsync.TooNewRetry = time.Hour }},
	{"what is too new is asked for every second", &future, func(s *node.Settings) { s.Limits.Netsync.TooNewRetry = time.Second }},
	{"relay does not hear that a Send has timed out", &sends, breaks(node.Relay, func() *mutant {
		return &mutant{loses: sendTimedOut}
	})},
	{"netsync does not hear that a Send has timed out", &sends, breaks(node.Netsync, func() *mutant {
		return &mutant{loses: sendTimedOut}
	})},
	{"relay takes what was refused for sent", &sends, breaks(node.Relay, func() *mutant {
		return &mutant{hears: func(in actor.Input) actor.Input {
			if in.Err == actor.ErrBusy {
				in.Err = nil
			}
			return in
		}}
	})},
	{"relay tries again in an hour", &sends, func(s *node.Settings) { s.Limits.Relay.RetryAfter = time.Hour }},
	{"netsync holds four times what it may", &budget, func(s *node.Settings) { s.Limits.Netsync.HeldBytes *= 4 }},
	{"blocks that there was no room for are lost", &budget, breaks(node.Netsync, func() *mutant {
		came := map[chainhash.Hash]bool{}
		return &mutant{loses: func(in actor.Input) bool {
			b, ok := in.Body.(peer.BlockReceived)
			again := ok && came[b.Hash]
			came[b.Hash] = true
			return again
		}}
	})},
	{"chain does not answer once its engine has failed", &failures, breaks(node.Chain, func() *mutant {
		failed := false
		return &mutant{loses: func(in actor.Input) bool {
			a, ok := in.Body.(chain.BlockApplied)
			failed = failed || ok && a.Fatal != "" || in.Err == actor.ErrGone
			return failed && (is[chain.GetTemplate](in) || is[chain.GetTips](in))
		}}
	})},
	{"chain does not hear that its engine has died", &failures, breaks(node.Chain, func() *mutant {
		return &mutant{loses: func(in actor.Input) bool { return in.Err == actor.ErrGone }}
	})},
	{"relay does not say that there is more", &veterans, breaks(node.Relay, func() *mutant {
		return hears(func(_ actor.Input, a *chain.Hashes) { a.Hashes = a.Hashes[:min(len(a.Hashes), wire.MaxBlocksPerMsg-1)] })
	})},
	{"relay does not serve blocks without witness data", &veterans, breaks(node.Relay, func() *mutant {
		return hears(func(_ actor.Input, q *peer.DataWanted) {
			q.Items = slices.DeleteFunc(slices.Clone(q.Items), func(v wire.InvVect) bool { return v.Type == wire.InvTypeBlock })
		})
	})},
	{"peers forgive breaches of the handshake", &strangers, breaks(0, func() *mutant {
		greeted := false
		return &mutant{loses: func(in actor.Input) bool {
			r, _ := in.Body.(peer.Received)
			_, version := r.Msg.(*wire.MsgVersion)
			again := version && greeted
			greeted = greeted || version
			return again
		}}
	})},
	{"getaddr is not answered", &strangers, breaks(node.Server, deaf[peer.AddrsWanted])},
	{"who brings nothing new is asked again at once", &strangers, func(s *node.Settings) { s.Limits.Netsync.Pause = time.Millisecond }},
	{"netsync tries again at once", &engines, impatient},
	{"the seeds are asked once", &dnsSeeds, breaks(node.Server, func() *mutant {
		return &mutant{loses: lookupFailed}
	})},
	{"deaths are not counted", &dooms, func(plan *cell.Plan) { plan.Deaths.Max = 0 }},
	{"two deaths are too many", &dooms, func(plan *cell.Plan) { plan.Deaths.Max = 2 }},
	{"deaths are never forgotten", &dooms, func(plan *cell.Plan) { plan.Deaths.Within = time.Hour }},
	{"chain forgets every 20th transaction", &payments, breaks(node.Chain, func() *mutant {
		return everyNth(20, is[chain.SubmitTx])
	})},
	{"chain answers transactions and asks nobody", &payments, breaks(node.Chain, func() *mutant {
		return &mutant{loses: is[chain.SubmitTx], instead: func(in actor.Input, out *actor.Outbox) {
			q := in.Body.(chain.SubmitTx)
			q.Call(in).Answer(out, chain.TxVerdict{ID: q.ID})
		}}
	})},
	{"chain gives the worker many transactions at a time", &payments, widened},
	{"chain does not say which transactions have come", &payments, breaks(node.Chain, func() *mutant {
		return silent(func(e chain.Event) chain.Event {
			if _, is := e.(chain.TxAccepted); is {
				return chain.TxAccepted{}
			}
			return e
		})
	})},
	{"chain does not say what a block has confirmed", &payments, breaks(node.Chain, func() *mutant {
		return silent(func(e chain.Event) chain.Event {
			if r, is := e.(chain.TxRemoved); is && r.Reason == chain.RemovedConfirmed {
				return chain.TxRemoved{}
			}
			return e
		})
	})},
	{"chain answers with another transaction's name", &payments, breaks(node.Chain, func() *mutant {
		return hears(func(_ actor.Input, a *chain.TxApplied) { a.Verdict.ID.TxID[0]++ })
	})},
	{"who lags behind is not told", &payments, breaks(payerID, deaf[actor.Lagged])},
	{"chain does not hear that a transaction has timed out", &payEngines, breaks(node.Chain, func() *mutant {
		return &mutant{loses: func(in actor.Input) bool { return is[chain.TxApplied](in) && in.Err == actor.ErrTimeout }}
	})},
	{"chain says that a priority was added that it has dropped", &payments, breaks(node.Chain, func() *mutant {
		return &mutant{loses: is[chain.Prioritise], instead: func(in actor.Input, out *actor.Outbox) {
			in.Body.(chain.Prioritise).Call(in).Answer(out, chain.Prioritised{})
		}}
	})},
	{"chain adds priorities twice", &payments, breaks(node.Chain, func() *mutant {
		return hears(func(_ actor.Input, q *chain.Prioritise) { q.Delta *= 2 })
	})},
	{"a rebuilt chain drops what it had not published", &payDeaths, breaks(node.Chain, func() *mutant {
		return hears(func(_ actor.Input, a *chain.CaughtUp) { a.Events = nil })
	})},
	{"relay announces no transactions", &relays, breaks(node.Relay, deaf[chain.TxAccepted])},
	{"relay does not announce again what was sent by RPC", &relays, breaks(node.Relay, func() *mutant {
		return hears(func(_ actor.Input, e *chain.TxAccepted) { e.Txs = notOurs(e.Txs) })
	})},
	{"relay goes on as if it had missed nothing of the pool", &relays, breaks(node.Relay, func() *mutant {
		return &mutant{loses: func(in actor.Input) bool {
			lag, is := in.Body.(actor.Lagged)
			return is && lag.Topic == node.ChainTxs
		}}
	})},
	{"relay loses every 20th verdict", &relays, breaks(node.Relay, func() *mutant { return everyNth(20, is[chain.TxVerdict]) })},
	{"a rebuilt relay fetches no transactions", &relayDeaths, breaks(node.Relay, func() *mutant { return deafLater(is[peer.TxsAnnounced]) })},
	{"a rebuilt relay announces no transactions", &relayDeaths, breaks(node.Relay, func() *mutant { return deafLater(is[chain.TxAccepted]) })},
	{"relay sends witness data to who did not ask for it", &shops, breaks(node.Relay, func() *mutant {
		return hears(func(_ actor.Input, e *peer.DataWanted) {
			e.Items = slices.Clone(e.Items)
			for i := range e.Items {
				if e.Items[i].Type == wire.InvTypeTx {
					e.Items[i].Type = wire.InvTypeWitnessTx
				}
			}
		})
	})},
	{"relay knows one announcer of each transaction", &shops, breaks(node.Relay, firstAnnouncer)},
	{"relay's requests do not expire", &shops, func(s *node.Settings) { s.Limits.Relay.Txs.RequestTimeout = 24 * time.Hour }},
	{"relay announces a transaction to whom it has it from", &shops, breaks(node.Relay, echo)},
	{"invalid transactions are no fault", &shops, breaks(node.Relay, func() *mutant {
		return hears(func(_ actor.Input, v *chain.TxVerdict) {
			if v.Code == chain.TxInvalid {
				v.Code = chain.TxPolicy
			}
		})
	})},
}

// silent makes a chain that hears other events of its worker.
func silent(change func(chain.Event) chain.Event) *mutant {
	changed := func(c *chain.Changes) {
		c.Events = slices.Clone(c.Events)
		for i := range c.Events {
			c.Events[i] = change(c.Events[i])
		}
	}
	return &mutant{hears: func(in actor.Input) actor.Input {
		switch a := in.Body.(type) {
		case chain.TxApplied:
			changed(&a.Changes)
			in.Body = a
		case chain.BlockApplied:
			changed(&a.Changes)
			in.Body = a
		}
		return in
	}}
}

func sendTimedOut(in actor.Input) bool { return is[peer.Sent](in) && in.Err == actor.ErrTimeout }

// spoil makes all nodes to come broken ones.
func (c *town) spoil(how any) {
	switch how := how.(type) {
	case func(*cell.Plan):
		c.alter = how
	case func(*node.Settings):
		c.tune = how
	}
}

// oneAtATime makes a machine that hears of no second peer while it knows one.
func oneAtATime() *mutant {
	var only actor.ID
	return &mutant{loses: func(in actor.Input) bool {
		switch e := in.Body.(type) {
		case peer.Ready:
			if only == 0 {
				only = e.Peer
			}
			return e.Peer != only
		case peer.Gone:
			mine := e.Peer == only
			if mine {
				only = 0
			}
			return !mine
		}
		return in.From.Parent() != 0 && in.Ticket == 0 && in.From != only
	}}
}

func TestChecksCatchMutations(t *testing.T) {
	var page strings.Builder
	page.WriteString("# What the simulator catches\n\nMade by `go test ./internal/proof/sim -run Mutations -update`. Each row is a whole node that is broken in one point. One\nof the seeds of the scenario that are run anyway must show it; `-v` says which, and how.\n\n| broken | scenario | seeds |\n| --- | --- | ---: |\n")
	for _, m := range mutants {
		fmt.Fprintf(&page, "| %s | `%s` | %d |\n", m.name, m.in.name, m.in.seeds)
	}
	golden.Equal(t, "MUTATIONS.md", []byte(page.String()))
	if slow > 1 {
		t.Skip("the race detector has nothing to find here")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(m.in.seeds) {
				if _, err := m.in.run(seed, func(c *town) { c.spoil(m.breaks) }); err != nil {
					t.Logf("caught in seed %d of %s: %.200s", seed, m.in.name, err.Error())
					return
				}
			}
			t.Errorf("none of the %d seeds of %s shows it", m.in.seeds, m.in.name)
		})
	}
}
