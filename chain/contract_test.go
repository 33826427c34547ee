package chain

import (
	"testing"
)

// A peer is at fault for what breaks a rule, and for nothing else.
func TestFaultyCodes(t *testing.T) {
	for code, faulty := range map[Code]bool{
		OK: false, Duplicate: false, Orphan: false, TooNew: false, Fatal: false,
		Invalid: true, BadAncestor: true, Checkpoint: true, Mutated: true,
	} {
		if code.Faulty() != faulty {
			t.Errorf("%v: faulty %v", code, code.Faulty())
		}
	}
}
