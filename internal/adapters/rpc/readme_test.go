package rpc

import (
	"os"
	"strings"
	"testing"

	"acyclic/internal/adapters/rpc/commands"
)

// The README lists the commands that exist, and no other.
func TestReadmeListsTheCommands(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const first = "getbestblockhash "
	_, list, ok := strings.Cut(string(text), "\n    "+first)
	if !ok {
		t.Fatalf("the README has no list of commands that begins with %s", first)
	}
	list, _, _ = strings.Cut(first+list, "\n\n")
	listed := map[string]bool{}
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		for _, name := range strings.Fields(line) {
			listed[name] = true
			if commands.Find(name) == nil {
				t.Errorf("the README lists %s, which is no command", name)
			}
		}
	}
	for name := range table {
		if !listed[name] {
			t.Errorf("the README does not list %s", name)
		}
	}
}
