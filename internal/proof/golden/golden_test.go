package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// fake notes what a check says.
type fake struct {
	testing.TB
	said string
}

func (f *fake) Helper()                      {}
func (f *fake) Errorf(s string, args ...any) { f.said = s }
func (f *fake) Fatalf(s string, args ...any) { f.said = s }

func TestEqual(t *testing.T) {
	file := filepath.Join(t.TempDir(), "golden")
	missing, other := &fake{}, &fake{}
	if Equal(missing, file, []byte("a")); missing.said == "" {
		t.Error("a missing file is not noticed")
	}
	defer func(was bool) { *update = was }(*update)
	*update = true
	Equal(t, file, []byte("a\nb\n"))
	*update = false
	Equal(t, file, []byte("a\nb\n"))
	if Equal(other, file, []byte("a\nc\n")); other.said == "" {
		t.Error("a difference is not noticed")
	}
	if kept, _ := os.ReadFile(file); string(kept) != "a\nb\n" {
		t.Error("a comparison changed the file")
	}
}

func TestDifference(t *testing.T) {
	for _, c := range []struct{ want, got, shows string }{
		{"a\nb\n", "a\nc\n", "- b\n+ c"},
		{"a\n", "a\nb\n", "- \n+ b"},
		{"a\nb", "a", "- b\n+ "},
	} {
		if d := difference([]byte(c.want), []byte(c.got)); d != c.shows {
			t.Errorf("%q and %q: %q, want %q", c.want, c.got, d, c.shows)
		}
	}
}
