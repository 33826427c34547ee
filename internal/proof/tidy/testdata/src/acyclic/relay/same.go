package relay

import (
	"fmt"
	"time"

	"acyclic/internal/kernel/actor"
)

// zones is told the time of this machine.
func zones(t time.Time, out *actor.Outbox) {
	_ = t.Hour()             // want "calls .time.Time..Hour, which depends on this machine's time zone"
	_ = t.Format("15:04")    // want "Format, which depends"
	_ = t.Truncate(1).Day()  // want "Day, which depends"
	_ = t.Local()            // want "Local, which depends"
	_ = t.Location()         // want "Location, which depends"
	f := t.String            // want "String, which depends"
	_ = t.In(time.Local)     // want "time.Local"
	_ = fmt.Sprint("at ", t) // want "prints a time in this machine's zone"
	_ = fmt.Sprintf("%v", t) // want "prints a time in this machine's zone"
	out.Tell(1, t)           // want "prints a time in this machine's zone"
	_ = fmt.Sprint(t.UTC(), f())
	_ = t.UTC().Hour()
	_ = t.UTC().Format("15:04")
	_ = t.Add(1).Sub(t).String()
	_ = t.Before(t.In(time.UTC))
	_ = t.Unix()
	at(t)
}

func at(time.Time) {}

type linked struct{ next *linked }

type named struct{}

func (*named) String() string { return "named" }

func addresses(m *linked, n *named, o *row, v linked) {
	_ = fmt.Sprintf("%p", m)               // want "prints an address" "prints an address"
	_ = fmt.Sprintf("%d%% of %#-8p", 1, n) // want "prints an address"
	_ = fmt.Sprint(m)                      // want "prints an address"
	_ = fmt.Errorf("%v", v)                // want "prints an address"
	_ = fmt.Sprint(addresses)              // want "prints an address"
	_ = fmt.Sprint([]*row{o})              // want "prints an address"
	_ = fmt.Sprintf("%T", m)
	_ = fmt.Sprintf("100%% pure %v", o)
	_ = fmt.Sprint(n, []*named{n})
	_ = fmt.Sprintf("%v", timed{})          // want "prints an address"
	_ = fmt.Sprint(struct{ t time.Time }{}) // want "prints a time"
}

type timed struct {
	timer *time.Timer            // want "keeps a time.Timer"
	ticks map[int][]*time.Ticker // want "keeps a time.Ticker"
	at    time.Time
}

func survives() {
	defer func() {
		_ = recover() // want "a component recovers"
	}()
}
