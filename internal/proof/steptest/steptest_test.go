package steptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// clerk is a small machine: it asks an adapter, and asks again after a while when
// that fails. Its faults are what the rig has to find.
type clerk struct {
	port actor.Port[question, int]

	asking  bool
	retryAt time.Time

	deaf    bool          // Deadline does not name retryAt
	stuck   bool          // a Tick does not move the deadline
	eager   bool          // it asks again at once
	varied  bool          // ... something else each time
	curious bool          // it asks again after each answer
	early   time.Duration // it acts that much before its deadline
	n       int
}

type desk struct{}

type question struct {
	actor.Asks[int, desk]
	N int
}

func (c *clerk) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Stop:
		out.Finish("stopped")
		return
	case int:
		c.asking = false
		c.retryAt = now.Add(time.Second)
		if in.Err != nil && (c.eager || c.varied) || c.curious {
			c.retryAt = now
		}
	}
	if !c.asking && !now.Before(c.retryAt.Add(-c.early)) {
		if c.varied {
			c.n++
		}
		_, c.asking = c.port.Ask(out, 0, question{N: c.n})
		if !c.stuck {
			c.retryAt = time.Time{}
		}
	}
}

func (c *clerk) Deadline() time.Time {
	if c.deaf {
		return time.Time{}
	}
	return c.retryAt
}

func (c *clerk) Check() error { return nil }

// saying is a test that notes how it failed instead of failing.
type saying struct {
	testing.TB
	said string
}

func (s *saying) Helper() {}

func (s *saying) Failed() bool { return s.said != "" }

func (s *saying) Fatalf(format string, args ...any) {
	s.said = fmt.Sprintf(format, args...)
	panic(s)
}

// play runs a story about a clerk, and says how the rig failed it.
func play(t *testing.T, c clerk, story func(r *steptest.Rig)) string {
	s := &saying{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != s {
				panic(p)
			}
		}()
		var ports actor.Ports
		c.port = actor.Connect[question](&ports, "clerk.ask", actor.Ref[desk](7), 4, time.Minute)
		story(steptest.New(s, &c, ports.Specs))
	}()
	return s.said
}

// fail ends whatever is asked, as long as something is asked.
func fail(err error) func(r *steptest.Rig) {
	return func(r *steptest.Rig) {
		for len(r.Pending()) > 0 {
			_, asked := steptest.WantAsk[question](r, "it asks")
			r.Fail(asked, err)
		}
		r.Advance(10 * time.Second)
	}
}

// answer answers whatever is asked.
func answer(r *steptest.Rig) {
	for len(r.Pending()) > 0 {
		_, asked := steptest.WantAsk[question](r, "it asks")
		r.Reply(asked, 1)
	}
}

// TestEachFaultIsFound: the rig passes a sound machine, and finds each fault.
func TestEachFaultIsFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		clerk clerk
		story func(r *steptest.Rig)
		want  string // what the rig says; "": nothing
	}{
		{"sound, and refused", clerk{}, fail(actor.ErrBusy), ""},
		{"sound, with a target that is gone", clerk{}, fail(actor.ErrGone), ""},
		{"sound, and answered", clerk{}, answer, ""},
		{"sound, when nobody answers", clerk{}, (*steptest.Rig).RunOut, ""},
		{"a clock that Deadline does not name", clerk{deaf: true}, fail(actor.ErrBusy), "an early Tick"},
		{"the same, seen after the test", clerk{deaf: true}, func(r *steptest.Rig) { answer(r); r.RunOut() }, "an early Tick"},
		{"the same, seen at the next input", clerk{deaf: true}, func(r *steptest.Rig) {
			answer(r)
			r.Now = r.Now.Add(time.Hour)
			r.Give("anything")
		}, "an early Tick"},
		{"it acts before its deadline", clerk{early: time.Millisecond}, fail(actor.ErrBusy), "an early Tick"},
		{"a Tick that moves nothing", clerk{stuck: true}, func(r *steptest.Rig) { answer(r); r.Advance(time.Minute) }, "does not move it"},
		{"it asks again at once", clerk{eager: true}, fail(actor.ErrBusy), "is asked again at once"},
		{"the same, of a target that is gone", clerk{eager: true}, fail(actor.ErrGone), "is asked again at once"},
		{"it asks something else each time", clerk{varied: true}, fail(actor.ErrBusy), "after one has failed"},
		{"it asks for ever", clerk{curious: true}, answer, "times at one moment"},
		{"it has finished", clerk{deaf: true}, func(r *steptest.Rig) { r.Give(actor.Stop{}); r.RunOut() }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := play(t, c.clerk, c.story)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("the rig says %q, want %q", got, c.want)
			}
		})
	}
}
