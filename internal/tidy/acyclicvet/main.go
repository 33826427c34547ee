// Acyclicvet is the vet tool that reads the laws off the source; see package
// tidy.
//
//	go build -o acyclicvet ./internal/tidy/acyclicvet
//	go vet -vettool=./acyclicvet ./...
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"acyclic/internal/tidy"
)

func main() { unitchecker.Main(tidy.Analyzers...) }
