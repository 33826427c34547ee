package steptest_test

import (
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestWantRetry: the clerk asks again after a second. What is wanted of it must be
// just that.
func TestWantRetry(t *testing.T) {
	for _, c := range []struct {
		name        string
		clerk       clerk
		least, most time.Duration
		want        string // what the rig says; "": nothing
	}{
		{"as it is", clerk{}, time.Second, time.Second, ""},
		{"a wider range", clerk{}, time.Millisecond, time.Minute, ""},
		{"it should wait longer", clerk{}, time.Second + 1, time.Minute, "is asked again within 1s"},
		{"it should wait less", clerk{}, 0, time.Second - 1, "is not asked again within"},
		{"it should not ask", clerk{}, 0, 0, "is asked again within"},
		{"it does not ask", clerk{silent: true}, 0, 0, ""},
		{"it should ask", clerk{silent: true}, 0, time.Hour, "is not asked again within"},
	} {
		for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
			got := play(t, c.clerk, func(r *steptest.Rig) {
				steptest.WantRetry[question](r, err, c.least, c.most, "a question")
			})
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%s, after %v: the rig says %q, want %q", c.name, err, got, c.want)
			}
		}
	}
}
