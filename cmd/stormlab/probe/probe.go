package probe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"acyclic/integration/nodes"
	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Every is the time between two samples, and between two questions of one kind.
const Every = time.Second

// callPatience bounds a call by RPC. It is long because btcd serves ten callers
// at a time, and a caller that leaves a hanging call keeps its share. A hasty
// probe would itself make RPC silent.
const callPatience = 30 * time.Second

// Target says where the node is.
type Target struct {
	RPC     nodes.RPC
	P2P     p2p.Node
	Profile string // address of net/http/pprof; "": none
	Process *nodes.Process
	Offered func() int32 // the height of the honest chain
}

// Probe looks at a node.
type Probe struct {
	target Target
	began  time.Time

	count, info, shake, routines, pooled kind

	mu         sync.Mutex
	height     int32
	peers      int
	goroutines int
	pool       Pool
	moved      time.Time // when the tip last moved, or had the offered height
	samples    []Sample
}

// kind is one way of asking. It has one open question at a time.
type kind struct {
	mu     sync.Mutex
	asked  time.Time // zero: no question is open
	last   time.Time // when the last answer came
	answer Answer
}

// New makes a probe whose time begins now.
func New(t Target) *Probe {
	t.RPC.Timeout = callPatience
	now := time.Now()
	p := &Probe{target: t, began: now, moved: now}
	for _, k := range []*kind{&p.count, &p.info, &p.shake, &p.routines, &p.pooled} {
		k.last = now
	}
	return p
}

// Run asks until ctx ends. It gives each sample to show.
func (p *Probe) Run(ctx context.Context, show func(Sample)) {
	var wg sync.WaitGroup
	ask := func(k *kind, f func(context.Context) error) {
		wg.Go(func() {
			for ; ctx.Err() == nil; wait.Sleep(ctx, Every) {
				k.ask(ctx, f)
			}
		})
	}
	ask(&p.count, p.askBlockCount)
	ask(&p.info, p.askPeerInfo)
	ask(&p.shake, p.shakeHands)
	ask(&p.pooled, p.askPool)
	if p.target.Profile != "" {
		ask(&p.routines, p.countGoroutines)
	}
	for wait.Sleep(ctx, Every) {
		show(p.sample(time.Now()))
	}
	wg.Wait()
}

// Samples returns what has been seen.
func (p *Probe) Samples() []Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Sample(nil), p.samples...)
}

// ask asks once. A refusal is an answer too: the node was there to refuse.
func (k *kind) ask(ctx context.Context, f func(context.Context) error) {
	asked := time.Now()
	k.mu.Lock()
	k.asked = asked
	k.mu.Unlock()

	err := f(ctx)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = time.Time{}
	k.answer = Answer{Took: time.Since(asked).Seconds()}
	switch {
	case err == nil:
		k.answer.OK = true
	case errors.Is(err, p2p.ErrRefused):
		k.answer.OK, k.answer.Note = true, "refused"
	default:
		k.answer.Note = err.Error()
	}
	if k.answer.OK {
		k.last = time.Now()
	}
}

// read returns the current answer. A question that has been open for more than
// a second counts as unanswered.
func (k *kind) read(now time.Time) Answer {
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.answer
	if waited := now.Sub(k.asked); !k.asked.IsZero() && waited > Every {
		a = Answer{Took: waited.Seconds()}
	}
	if !a.OK {
		a.Silent = now.Sub(k.last).Seconds()
	}
	return a
}

func (p *Probe) sample(now time.Time) Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Sample{
		At:         now.Sub(p.began).Seconds(),
		BlockCount: p.count.read(now),
		PeerInfo:   p.info.read(now),
		Handshake:  p.shake.read(now),
		Height:     p.height,
		Offered:    p.target.Offered(),
		Goroutines: p.goroutines,
		Peers:      p.peers,
		Pool:       p.pool,
		RSS:        p.target.Process.RSS(),
		CPU:        p.target.Process.CPU(),
	}
	if len(p.samples) > 0 && p.samples[len(p.samples)-1].Height != s.Height || s.Height == s.Offered {
		p.moved = now
	}
	s.Behind = now.Sub(p.moved).Seconds()
	p.samples = append(p.samples, s)
	return s
}

func (p *Probe) askBlockCount(ctx context.Context) error {
	var height int32
	err := p.target.RPC.Call(ctx, &height, "getblockcount")
	if err == nil {
		p.mu.Lock()
		p.height = height
		p.mu.Unlock()
	}
	return err
}

func (p *Probe) askPeerInfo(ctx context.Context) error {
	var peers []struct{}
	err := p.target.RPC.Call(ctx, &peers, "getpeerinfo")
	if err == nil {
		p.mu.Lock()
		p.peers = len(peers)
		p.mu.Unlock()
	}
	return err
}

func (p *Probe) askPool(ctx context.Context) error {
	var pool Pool
	err := p.target.RPC.Call(ctx, &pool, "getmempoolinfo")
	if err == nil {
		p.mu.Lock()
		p.pool = pool
		p.mu.Unlock()
	}
	return err
}

func (p *Probe) shakeHands(ctx context.Context) error {
	conn, err := p.target.P2P.Dial(ctx, "probe")
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Ping()
}

func (p *Probe) countGoroutines(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	text, err := Profile(ctx, p.target.Profile, "goroutine?debug=1")
	if err != nil {
		return err
	}
	n, err := parseTotal(text)
	if err == nil {
		p.mu.Lock()
		p.goroutines = n
		p.mu.Unlock()
	}
	return err
}

// parseTotal reads "goroutine profile: total 123".
func parseTotal(profile string) (n int, err error) {
	line, _, _ := strings.Cut(profile, "\n")
	_, total, ok := strings.Cut(line, "total ")
	if !ok {
		return 0, fmt.Errorf("no goroutine profile: %.80q", line)
	}
	return strconv.Atoi(strings.TrimSpace(total))
}

// Profile fetches a profile, such as goroutine?debug=2.
func Profile(ctx context.Context, addr, name string) (string, error) {
	server := nodes.RPC{Addr: addr}
	text, err := server.Get(ctx, "/debug/pprof/"+name)
	return string(text), err
}
