package actor

import (
	"strings"
	"testing"
)

type (
	here   struct{}
	count  struct{ Asks[int, here] }
	name   struct{ Asks[string, here] }
	tables struct{ Asks[map[string]int, here] } // an answer that cannot be compared
)

// An answer of the wrong type is caught in the step that would give it. Before it
// reached the asker, it would have killed the asker.
func TestL11AWrongAnswerIsCaughtWhereItIsMade(t *testing.T) {
	in := Input{Body: count{}, Call: RawCall{Asker: 1, To: 2, Seq: 3}}
	if c := (count{}).Call(in); c.Raw() != in.Call {
		t.Errorf("the call is %v, want %v", c.Raw(), in.Call)
	}
	defer func() {
		r, _ := recover().(string)
		if !strings.Contains(r, "actor.count does not ask for string") {
			t.Errorf("the handle of another question: %q, want a panic that names both", r)
		}
	}()
	name{}.Call(in)
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		q, a any
		want bool
	}{
		{count{}, 1, true},
		{count{}, "1", false},
		{count{}, nil, false},
		{tables{}, map[string]int{}, true},
		{17, 1, false}, // no question at all
	} {
		if got := Fits(c.q, c.a); got != c.want {
			t.Errorf("%T is answered by %T: %v, want %v", c.q, c.a, got, c.want)
		}
	}
}
