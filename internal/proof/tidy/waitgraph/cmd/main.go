// Waitgraph prints which goroutines of a program may wait for each other; see
// package waitgraph.
//
//	go run ./internal/proof/tidy/waitgraph/cmd [flags] packages
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"

	"acyclic/internal/proof/tidy/waitgraph"
)

var (
	between = flag.String("between", "", "print only loops whose names match this regular `expression`")
	rest    = flag.String("rest", "^$", "loops wait for their own inbox in functions whose names match this regular `expression`")
	ways    = flag.Bool("ways", false, "print a way to each wait from every call in the loop's own function, not only the shortest")
	below   = flag.String("below", "", "print instead what functions whose names match this regular `expression` may wait for")
)

func main() {
	flag.Parse()
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, "waitgraph:", err)
		os.Exit(1)
	}
}

func report() error {
	names, err1 := regexp.Compile(*between)
	resting, err2 := regexp.Compile(*rest)
	from, err3 := regexp.Compile(*below)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	g, err := waitgraph.Load(waitgraph.Config{Dir: ".", Rest: resting}, flag.Args()...)
	if err != nil {
		return err
	}
	if *below == "" {
		g.Report(os.Stdout, names, *ways)
		return nil
	}
	waits, _ := g.Below(from)
	for _, w := range waits {
		fmt.Printf("%s\n    %s\n", w.What, strings.Join(w.Calls, "\n    "))
		if lock, ok := strings.CutPrefix(w.What, "locks "); ok {
			for _, what := range g.Under(lock) {
				fmt.Println("  while it is held, its holder", what)
			}
		}
	}
	return nil
}
