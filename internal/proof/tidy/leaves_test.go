package tidy

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ofANode are the packages that only a program with a node links.
var ofANode = []string{
	module + "/chain", module + "/internal/kernel", module + "/internal/node", module + "/netsync", module + "/peer", module + "/relay", module + "/server",
	"github.com/btcsuite/btcd/blockchain", "github.com/prometheus/client_golang",
}

// linked are the packages of a node that a program links.
func linked(t *testing.T, program string) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "./"+program)
	list.Dir = top
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(pkg string) bool { return !below(pkg, ofANode) })
}

// TestAcyclicctlLinksNoNode: the client asks a node over the network and contains
// none. The control is the node.
func TestAcyclicctlLinksNoNode(t *testing.T) {
	readGoFiles(t) // see TestL1ComponentsHaveNothingToWaitWith
	if found := linked(t, "cmd/acyclicctl"); len(found) > 0 {
		t.Errorf("acyclicctl links %q", found)
	}
	control := linked(t, "cmd/acyclicd")
	for _, want := range []string{module + "/netsync", module + "/internal/node", "github.com/btcsuite/btcd/blockchain", "github.com/prometheus/client_golang/prometheus"} {
		if !slices.Contains(control, want) {
			t.Errorf("acyclicd does not link %s, says the check", want)
		}
	}
}

// TestConfigIsALeaf: the configuration says how a node is to run and knows nothing of
// what runs. The rule is in mayImport. The control is a configuration that knows a
// component.
func TestConfigIsALeaf(t *testing.T) {
	out, err := vetWith(t, "config", `package config

import (
	_ "acyclic/internal/adapters/logging"
	_ "acyclic/internal/kernel/actor"
	_ "acyclic/server"
)
`)
	if err == nil {
		t.Error("the tool found nothing")
	}
	for _, part := range []string{"server", "internal/kernel/actor", "internal/adapters/logging"} {
		if want := "config may not import " + part; !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
