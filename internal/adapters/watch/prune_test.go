package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The newest recordings stay, so many of each kind. The one that was just made is the
// newest.
func TestTheNewestRecordingsStay(t *testing.T) {
	const keep = 3
	dir := t.TempDir()
	var want []string
	for i := range keep + 2 {
		for _, ext := range []string{profileExt, traceExt} {
			name := filepath.Join(dir, fmt.Sprintf("2026-01-0%d%s", i+1, ext))
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if i >= 2 {
				want = append(want, name)
			}
		}
	}
	for range 2 { // the second time there is nothing to remove
		if err := prune(dir, keep); err != nil {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(left)
		slices.Sort(want)
		if !slices.Equal(left, want) {
			t.Errorf("left: %q, want %q", left, want)
		}
	}
}
