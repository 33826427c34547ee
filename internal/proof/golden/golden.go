// Package golden compares what a test makes with a file beside it. With -update
// the file is written instead, so that its change can be read in the diff.
package golden

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests make into the golden files")

// Equal fails the test if got is not what the file holds.
func Equal(t testing.TB, file string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(file)
	switch {
	case err == nil && bytes.Equal(want, got):
	case *update:
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	case err != nil:
		t.Fatalf("%v; the flag -update writes it", err)
	default:
		t.Errorf("%s is not what this test makes (the flag -update writes it):\n%s", file, difference(want, got))
	}
}

// difference shows the first lines that differ.
func difference(want, got []byte) string {
	a, b := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := range max(len(a), len(b)) {
		var x, y []byte
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if !bytes.Equal(x, y) {
			return "- " + string(x) + "\n+ " + string(y)
		}
	}
	return ""
}
