package nodes

import "testing"

func TestTicks(t *testing.T) {
	const stat = "42 (a) (b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 8 20 0 9 0 1234"
	if got := ticks(stat); got != 3 {
		t.Errorf("%v s, want 2.5 s in user and 0.5 s in system mode", got)
	}
	if got := ticks("42 (a"); got != 0 {
		t.Errorf("half a line gives %v", got)
	}
}
