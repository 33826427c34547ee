package steptest

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// churns is how often Churn lets things come and go. A list that grows by one each
// time is not to be taken for one that varies.
const churns = 30

// Churn finds leaks. It lets things come and go: round takes away all that it has
// brought, and ends what was asked. If a list anywhere in the machine's state is
// longer after that than before, the test fails. keep names the lists that may be
// longer, each with the reason, as in "named.list[].addrs".
func (r *Rig) Churn(round func(i int), keep map[string]string) {
	r.t.Helper()
	before := sizes(r.M)
	for i := range churns {
		round(i)
		r.Drop()
	}
	if n := len(r.box.Asking(nil)); n > 0 {
		r.t.Fatalf("steptest: %d questions are open after the churn", n)
	}
	after := sizes(r.M)
	for _, list := range slices.Sorted(maps.Keys(after)) {
		grown := after[list] > before[list]
		switch reason := keep[list]; {
		case grown && reason == "":
			r.t.Fatalf("steptest: a leak: %s has %d members, and had %d before the churn", list, after[list], before[list])
		case !grown && reason != "":
			r.t.Fatalf("steptest: %s is not longer than before, so it needs no reason", list)
		}
	}
	for list := range keep {
		if _, ok := after[list]; !ok {
			r.t.Fatalf("steptest: there is no list %s", list)
		}
	}
}

// EndAll ends the questions that are open now, in the order asked, each with the
// next of errs in turn. After ErrTimeout the answer comes late. It returns how many
// there were.
func (r *Rig) EndAll(errs ...error) int {
	r.t.Helper()
	open := slices.Sorted(maps.Keys(r.asked))
	for i, seq := range open {
		a, err := r.asked[seq], errs[i%len(errs)]
		r.Fail(a, err)
		if err == actor.ErrTimeout {
			r.Late(a)
		}
	}
	return len(open)
}

// Waits says whether the machine still waits for the end of a question.
func (r *Rig) Waits(a Asked) bool { _, waits := r.asked[a.call.Seq]; return waits }

// sizes counts the members of every slice and map that a state holds, by name. The
// lists of a list's members have one name, and are counted together.
func sizes(state any) map[string]int {
	w := walk{map[string]int{}, map[visit]bool{}}
	w.value("", reflect.ValueOf(state))
	return w.sizes
}

type walk struct {
	sizes map[string]int
	seen  map[visit]bool
}

// visit tells a struct from its first field, which has the same address.
type visit struct {
	at uintptr
	of reflect.Type
}

func (w *walk) value(name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		at := visit{v.Pointer(), v.Type()}
		if !v.IsNil() && !w.seen[at] {
			w.seen[at] = true
			w.value(name, v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.value(name, v.Elem())
		}
	case reflect.Struct:
		w.fields(name, v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			w.sizes[name] += v.Len()
		}
		if holdsLists(v.Type().Elem().Kind()) {
			for i := range v.Len() {
				w.value(name+"[]", v.Index(i))
			}
		}
	case reflect.Map:
		w.sizes[name] += v.Len()
		for i := v.MapRange(); i.Next(); {
			w.value(name+"[]", i.Value())
		}
	}
}

func (w *walk) fields(name string, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return // its zone is no state
	}
	if name != "" {
		name += "."
	}
	for i := range v.NumField() {
		w.value(name+v.Type().Field(i).Name, v.Field(i))
	}
}

// holdsLists says whether a value of a kind can hold a list. It spares the walk
// every byte of a hash.
func holdsLists(k reflect.Kind) bool {
	return slices.Contains([]reflect.Kind{
		reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map,
	}, k)
}
