// Acyclicvet is the vet tool that reads the laws off the source; see package
// tidy.
//
//	go build -o acyclicvet ./internal/proof/tidy/acyclicvet
//	go vet -vettool=./acyclicvet ./...
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"acyclic/internal/proof/tidy"
)

func main() { unitchecker.Main(tidy.Analyzers...) }
