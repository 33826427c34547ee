package fake

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

// ResolverConfig says what names lead to and how the name servers fail.
type ResolverConfig struct {
	// Hosts are the addresses of each name. Another name does not exist. Before
	// Moved the names of Former lead to those addresses instead.
	Hosts, Former map[string][]netip.Addr
	Moved         time.Time

	// MaxTime bounds the drawn time of an answer. Zero: none.
	MaxTime time.Duration
	// FailChance is how many of 1,000 lookups fail, and HangChance how many take
	// HangFor.
	FailChance, HangChance int
	HangFor                time.Duration
}

// Resolver plays the resolver. A literal address resolves to itself.
type Resolver struct {
	cfg  ResolverConfig
	rng  *rand.Rand
	jobs []lookup // the first one is answered next
}

// lookup is a question, when it is answered, and whether it fails.
type lookup struct {
	in    actor.Input
	at    time.Time
	fails bool
}

// NewResolver returns a resolver.
func NewResolver(cfg ResolverConfig, rng *rand.Rand) *Resolver { return &Resolver{cfg: cfg, rng: rng} }

// Calm ends the failures of lookups that come later, and the former addresses.
func (r *Resolver) Calm() {
	r.cfg.MaxTime, r.cfg.FailChance, r.cfg.HangChance, r.cfg.Former = 0, 0, 0, nil
}

// Step takes a question, or answers those that are due.
func (r *Resolver) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Start, actor.Tick:
	case actor.Stop:
		out.Finish("stopped")
		return
	case server.Resolve:
		r.take(now, in)
	default:
		panic(fmt.Sprintf("fake: the resolver is given a %T", in.Body))
	}
	for len(r.jobs) > 0 && !r.jobs[0].at.After(now) {
		j := r.jobs[0]
		r.jobs = r.jobs[1:]
		q := j.in.Body.(server.Resolve)
		a := server.Resolved{Err: "the name server failed"}
		if !j.fails {
			a = r.resolve(now, q)
		}
		q.Call(j.in).Answer(out, a)
	}
}

func (r *Resolver) take(now time.Time, in actor.Input) {
	j := lookup{in: in, at: now.Add(draw(r.rng, r.cfg.MaxTime)), fails: r.chance(r.cfg.FailChance)}
	if r.chance(r.cfg.HangChance) {
		j.at = now.Add(r.cfg.HangFor)
	}
	r.jobs = append(r.jobs, j)
	slices.SortStableFunc(r.jobs, func(a, b lookup) int { return a.at.Compare(b.at) })
}

func (r *Resolver) chance(per1000 int) bool { return per1000 > 0 && r.rng.IntN(1000) < per1000 }

func (r *Resolver) resolve(now time.Time, q server.Resolve) server.Resolved {
	addrs := r.cfg.Hosts[q.Host]
	if former := r.cfg.Former[q.Host]; former != nil && now.Before(r.cfg.Moved) {
		addrs = former
	}
	if ip, err := netip.ParseAddr(q.Host); err == nil {
		addrs = []netip.Addr{ip}
	}
	var a server.Resolved
	if len(addrs) == 0 {
		a.Err = "no such host"
	}
	for _, ip := range addrs {
		a.Addrs = append(a.Addrs, netip.AddrPortFrom(ip, q.Port))
	}
	return a
}

// Deadline is when the next question is answered.
func (r *Resolver) Deadline() time.Time {
	if len(r.jobs) == 0 {
		return time.Time{}
	}
	return r.jobs[0].at
}

// Check has nothing to verify.
func (r *Resolver) Check() error { return nil }
