package nodes

import (
	"os"
	"testing"
)

func TestFreeAddrsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		addr, err := FreeAddr()
		if err != nil || seen[addr] {
			t.Fatalf("%s twice, or %v", addr, err)
		}
		seen[addr] = true
	}
}

func TestSweepSparesTheLiving(t *testing.T) {
	const prefix = "acyclic-sweep-"
	dir, err := Scratch(prefix)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	Sweep(prefix)
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("it has swept the directory of a living program: %v", err)
	}
}
