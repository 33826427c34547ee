// Acyclicd is a Bitcoin node whose components cannot deadlock each other.
package main

import (
	"errors"
	"fmt"
	"os"

	"acyclic/chain/engine"
	"acyclic/config"
)

func main() {
	cfg, err := config.Load(os.Args[1:])
	switch {
	case err != nil:
		fail(err)
	case cfg.Print != "":
		fmt.Print(cfg.Print)
		return
	}
	if err := run(cfg); err != nil && !errors.Is(err, engine.ErrInterrupted) {
		fail(err)
	}
}

// fail says in one line what is wrong and ends with status 1.
func fail(err error) {
	fmt.Fprintf(os.Stderr, "acyclicd: %v\n", err)
	os.Exit(1)
}
