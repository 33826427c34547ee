// Package golden compares what a test makes with a file beside the test. The
// flag -update writes the file instead, and git shows what has changed in it.
package golden

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests make into the golden files")

// Equal fails the test if the file does not hold got.
func Equal(t testing.TB, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	switch {
	case err != nil:
		t.Fatalf("%v. The flag -update writes the file.", err)
	case !bytes.Equal(want, got):
		t.Errorf("%s is not what this test makes. The flag -update writes the file.\n%s", file, difference(want, got))
	}
}

// difference shows the first line that differs.
func difference(want, got []byte) string {
	was := append(bytes.Split(want, []byte("\n")), nil)
	is := append(bytes.Split(got, []byte("\n")), nil)
	i := 0
	for i < min(len(was), len(is))-1 && bytes.Equal(was[i], is[i]) {
		i++
	}
	return "- " + string(was[i]) + "\n+ " + string(is[i])
}
