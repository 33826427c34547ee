package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// The files beside this command.
const (
	survivorsFile = "internal/proof/mutate/SURVIVORS.txt" // the mutants that may live
	slowFile      = "internal/proof/mutate/SLOW.txt"      // those that a quick run leaves out
	tableFile     = "internal/proof/mutate/TABLE.md"
)

// read returns the mutants that a file names, with the reason of each: the line above
// them that begins with #.
func read(name string) (map[string]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	reasons := map[string]string{}
	reason := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			reason = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		case reason == "":
			return nil, fmt.Errorf("%s: %s has no reason above it", name, line)
		case reasons[line] != "":
			return nil, fmt.Errorf("%s: %s is there twice", name, line)
		default:
			reasons[line] = reason
		}
	}
	return reasons, nil
}

// strangers returns the names of mutants that do not exist, in order.
func strangers(reasons map[string]string, all []Mutant) []string {
	lost := maps.Clone(reasons)
	for _, m := range all {
		delete(lost, m.Name)
	}
	return slices.Sorted(maps.Keys(lost))
}
