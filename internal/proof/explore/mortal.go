package explore

import (
	"reflect"
	"slices"
	"time"
	"unsafe"

	"acyclic/internal/kernel/actor"
)

// mortal is a machine that can be made to die at the end of a step. Nothing of the
// step has then happened (law L11). With Fine it hands out the effects of a step one
// by one, and takes no other input meanwhile.
type mortal struct {
	id actor.ID
	actor.Machine
	w    shared
	Held []actor.Effect
}

// further asks a machine for its next effect.
type further struct{}

func (m *mortal) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	effects := outboxEffects(out)
	if _, ok := in.Body.(further); ok {
		*effects = append(*effects, m.Held[0])
		m.Held = m.Held[1:]
		m.w.noteBus(*effects)
		return
	}
	m.Machine.Step(now, in, out)
	traffic := m.w.noteBus(*effects)
	if m.w.dying == m.id {
		m.w.dying = 0
		panic(intent)
	}
	for _, e := range *effects {
		if e.Kind == actor.Ask {
			m.w.asks(m.id, actor.Ticket(e.Call.Seq))
		}
	}
	// Traffic passes on the credit of the input, which is given back after the step.
	if m.w.sc.Fine && len(*effects) > 1 && !traffic {
		// A cell ends after all effects of its last step. Logs are no moves.
		all := slices.Clone(*effects)
		slices.SortStableFunc(all, func(a, b actor.Effect) int { return last(a) - last(b) })
		m.Held = slices.DeleteFunc(all[1:], func(e actor.Effect) bool { return e.Kind == actor.Log })
		*effects = append((*effects)[:0], all[0])
	}
}

// noteBus notes whether effects change what the bus remembers. It says whether they
// have traffic among them.
func (w *World) noteBus(effects []actor.Effect) (traffic bool) {
	for _, e := range effects {
		switch {
		case e.Kind == actor.Publish && w.Sys.Bus().IsTraffic(e.Topic):
			traffic = true
		case e.Kind == actor.Publish, e.Kind == actor.Spawn, e.Kind == actor.Finish:
			w.busTouched = true
		}
	}
	return traffic
}

func last(e actor.Effect) int {
	if e.Kind == actor.Finish {
		return 1
	}
	return 0
}

// Deadline is zero while effects wait to be performed, and while the Tick is a move
// apart from the input.
func (m *mortal) Deadline() time.Time {
	if len(m.Held) > 0 || m.w.early {
		return time.Time{}
	}
	return m.Machine.Deadline()
}

// Check waits for the last effect, since an invariant may span an effect.
func (m *mortal) Check() error {
	if len(m.Held) > 0 {
		return nil
	}
	return m.Machine.Check()
}

// outboxEffects reaches the effects recorded in an outbox.
func outboxEffects(out *actor.Outbox) *[]actor.Effect {
	f := reflect.ValueOf(out).Elem().FieldByName("effects")
	return (*[]actor.Effect)(unsafe.Pointer(f.UnsafeAddr()))
}

// intent is why a step dies that was told to die.
const intent = "a death by intent"

// shared is a pointer that is no part of the state.
type shared struct{ *World }
