// Acyclicd is a Bitcoin node whose components cannot deadlock each other.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"acyclic/chain/engine"
	"acyclic/config"
)

func main() {
	// If the reader of our output ends (tee on the same Ctrl-C), the node must
	// still write its state: writes get EPIPE instead.
	signal.Ignore(syscall.SIGPIPE)
	cfg, err := config.Load(os.Args[1:])
	switch {
	case err != nil:
		fail(err)
	case cfg.Print != "":
		fmt.Print(cfg.Print) //correctness: the process does nothing else.
		return
	}
	if err := run(cfg); err != nil && !errors.Is(err, engine.ErrInterrupted) {
		fail(err)
	}
}

// fail says in one line what is wrong, and ends the process with status 1.
func fail(err error) {
	say(strings.ReplaceAll(err.Error(), "\n", "; ")) // errors joined have a line each
	os.Exit(1)
}

// lastWords bounds how long the end of the process waits for its last line.
const lastWords = time.Second

// say writes a line to standard error.
//
// correctness: a pipe without a reader may take nothing more. The wait for it is a second,
// before the process ends.
func say(line string) {
	said := make(chan struct{})
	// goroutines: one: the process ends after it.
	go func() {
		defer close(said)
		fmt.Fprintln(os.Stderr, "acyclicd: "+line)
	}()
	select {
	case <-said:
	case <-time.After(lastWords):
	}
}
