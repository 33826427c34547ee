package golden

import (
	"os"
	"path/filepath"
	"strings"
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
		t.Error("a file that is not there is not noticed")
	}
	*update = true
	Equal(t, file, []byte("a\nb\n"))
	*update = false
	Equal(t, file, []byte("a\nb\n"))
	if Equal(other, file, []byte("a\nc\n")); other.said == "" {
		t.Error("a difference is not noticed")
	}
	if d := difference([]byte("a\nb\n"), []byte("a\nc\n")); !strings.Contains(d, "- b\n+ c") {
		t.Errorf("the difference: %q", d)
	}
	if kept, _ := os.ReadFile(file); string(kept) != "a\nb\n" {
		t.Error("a comparison changed the file")
	}
}
