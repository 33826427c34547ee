// Package relay does itself what a component must not.
package relay

import (
	"context"           // want "imports context"
	crand "crypto/rand" // want "imports crypto/rand"
	"fmt"
	"iter"
	"log" // want "imports log"
	"maps"
	oldrand "math/rand" // want "imports math/rand"
	"math/rand/v2"
	"net" // want "imports net, which"
	"net/netip"
	"os" // want "imports os"
	"slices"
	"strings"
	"sync"        // want "imports sync, which"
	"sync/atomic" // want "imports sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"github.com/btcsuite/btcd/lib"
	"github.com/sirupsen/logrus" // want "imports github.com/sirupsen/logrus"
)

type held struct {
	up *held
	//tidy:outside the wiring gives it, and it calculates
	f func()
}

type Machine struct {
	mu    sync.Mutex // want "keeps a sync.Mutex"
	wake  chan int   // want "a component has a channel" "keeps a channel"
	deep  map[int][]*held
	lists map[int][]func() // want "keeps a function"
	chain *lib.Chain       // want "keeps a channel"
	out   *actor.Outbox    // want "keeps a actor.Outbox"
	done  func()           // want "keeps a function"
	peers map[int]int
	addr  netip.Addr
	n     atomic.Int64    // want "keeps a atomic.Int64"
	ctx   context.Context // want "keeps a context.Context"
	conn  net.Conn        // want "keeps what may wait .net.Conn."
	rng   *rand.Rand
}

func (m *Machine) waits() {
	go m.waits()       // want "starts a goroutine"
	m.wake <- 1        // want "sends on a channel"
	<-m.wake           // want "receives from a channel"
	for range m.wake { // want "ranges over a channel"
	}
	select { // want "waits in a select"
	case <-m.wake:
	}
	m.mu.Lock()    // want "calls .*sync.Mutex..Lock"
	m.n.Add(1)     // want "calls .*atomic.Int64..Add"
	m.conn.Close() // want "calls .net.Conn..Close"
	m.ctx.Done()   // want "calls .context.Context..Done"
}

func (m *Machine) clock() {
	time.Now()                 // want "reads the clock"
	time.Since(time.Time{})    // want "reads the clock"
	time.Until(time.Time{})    // want "reads the clock"
	time.Sleep(0)              // want "calls time.Sleep, which waits"
	time.After(0)              // want "starts a timer"
	time.Tick(0)               // want "starts a timer"
	time.NewTimer(0)           // want "starts a timer"
	time.AfterFunc(0, m.clock) // want "starts a timer"
	now := time.Now            // want "reads the clock"
	_ = now
	_ = time.Unix(1, 0).In(time.Local)              // want "time.Local"
	_ = time.Unix(1, 0).UTC().Add(47 * time.Second) // want "a bound without a name"
	_ = time.Unix(1, 0).UTC().Add(pause)
}

// pause is told.
const pause = time.Second

func (m *Machine) chance() {
	rand.IntN(3)                       // want "global chance"
	rand.Shuffle(1, func(i, j int) {}) // want "global chance"
	oldrand.Int()                      // want "calls math/rand.Int"
	crand.Read(nil)                    // want "calls crypto/rand.Read"
	m.rng.IntN(3)
	rand.New(rand.NewPCG(1, 2))
}

func (m *Machine) talks() {
	fmt.Println("x")                         // want "standard output"
	fmt.Printf("x")                          // want "standard output"
	log.Print("x")                           // want "calls log.Print"
	logrus.Info("x")                         // want "calls github.com/sirupsen/logrus.Info, .*Mutex"
	os.Exit(1)                               // want "calls os.Exit"
	println(strings.ToUpper(fmt.Sprint(1)))  // want "standard error"
	next, _ := iter.Pull(maps.Keys(m.peers)) // want "starts a coroutine" "ranges over a map"
	next()
}

func (m *Machine) order() (last int) {
	for k := range m.peers { // want "ranges over a map"
		last = k
	}
	//tidy:order a sum
	for _, v := range m.peers {
		last += v
	}
	// A note may be the last line
	//tidy:order of a longer comment
	for _, v := range m.peers {
		last += v
	}
	//tidy:order // want "tidy:order excepts nothing"
	for range slices.Sorted(maps.Keys(m.peers)) {
	}
	for k := range maps.Keys(m.peers) { // want "ranges over a map"
		last = k
	}
	//tidy:sorted there is no such note // want "there is no //tidy:sorted"
	return last
}

func (m *Machine) unexplained() (last int) {
	/* want "tidy:order without a reason" */ //tidy:order
	for k := range m.peers {                 // want "ranges over a map"
		last = k
	}
	return last
}

// Each takes a function without a verdict.
func Each(f func()) { // want "takes a function from outside"
	f()
}

//tidy:outside the wiring gives it
func Every(f func()) { f() }

func each(f func()) { f() }

type doer interface{ Do() }

func dynamic(d doer, err error) {
	d.Do() // want "method of an interface"
	_ = err.Error()
	each(func() { time.Now() }) // want "reads the clock"
}

func (m *Machine) excepted(h *held) {
	//tidy:outside it calculates
	h.f()
	h.f()     // want "calls what is kept in f"
	own(h.up) //tidy:outside its own // want "tidy:outside excepts nothing"
}

func own(*held) {}
