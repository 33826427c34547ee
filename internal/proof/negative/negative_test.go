package negative

import (
	"testing"

	"pgregory.net/rapid"
)

func TestProperty(t *testing.T) {
	if err := Property(t, func(t *rapid.T) { rapid.Int().Draw(t, "x") }); err != nil {
		t.Errorf("a property that holds is called violated: %v", err)
	}
	if err := Property(t, func(t *rapid.T) {
		if rapid.IntRange(0, 9).Draw(t, "x") == 7 {
			t.Fatal("seven")
		}
	}); err == nil {
		t.Error("a violation is not noticed")
	}
}
