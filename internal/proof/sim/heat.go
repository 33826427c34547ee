package sim

import (
	"fmt"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// What one cell may take in a second of virtual time. A cell that asks again at once when a
// question has failed takes an input a millisecond even when it is slowest, and at any speed
// it passes for one that works.
const (
	// maxFailures bounds ticks, slots that come free and questions without an answer. Each
	// stands for something that did not go on by itself, and is followed by a pause. The
	// default worlds have 20 at most, when the clock jumps and all questions end at once.
	maxFailures = 200
	// maxInputs bounds all inputs. The default worlds have a thousand, when relay serves
	// fifty nodes.
	maxInputs = 5000
)

// heat counts what a cell takes within a second.
type heat struct {
	second           int64
	inputs, failures int
}

// count adds a batch, and says whether the cell runs hot. A batch without an input is a tick.
func (h *heat) count(second int64, batch []mailbox.Envelope) error {
	if second != h.second {
		*h = heat{second: second}
	}
	h.inputs += len(batch)
	if len(batch) == 0 {
		h.failures++
	}
	for _, e := range batch {
		if _, freed := e.In.Body.(actor.Freed); freed || e.In.Err != nil {
			h.failures++
		}
	}
	if h.failures > maxFailures || h.inputs > maxInputs {
		return fmt.Errorf("runs hot: %d inputs in a second, %d failures and ticks", h.inputs, h.failures)
	}
	return nil
}
