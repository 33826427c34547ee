// Package negative lets a test show that its check can fail. A property is run
// against a broken variant, which must violate it.
package negative

import (
	"errors"
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Property checks a property with rapid. It returns how the property was violated, or
// nil, and does not fail t.
func Property(t *testing.T, property func(*rapid.T)) (violated error) {
	t.Helper()
	// Rapid writes no file to replay a failure by intent from.
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	rapid.Check(quiet{t, &violated}, property)
	return violated
}

// quiet keeps the first failure to itself.
type quiet struct {
	*testing.T
	err *error
}

func (q quiet) note(s string) {
	if *q.err == nil {
		*q.err = errors.New(s)
	}
}

func (q quiet) Errorf(format string, args ...any) { q.note(fmt.Sprintf(format, args...)) }
func (q quiet) Error(args ...any)                 { q.note(fmt.Sprint(args...)) }
func (q quiet) Fatalf(format string, args ...any) { q.note(fmt.Sprintf(format, args...)) }
func (q quiet) Fatal(args ...any)                 { q.note(fmt.Sprint(args...)) }
func (q quiet) FailNow()                          { q.note("failed") }
func (q quiet) Fail()                             { q.note("failed") }
func (q quiet) Log(...any)                        {}
func (q quiet) Logf(string, ...any)               {}
