// Package negative lets a test show that its check can fail: a property is run
// against a broken variant, and must be violated.
package negative

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Property checks a property with rapid and returns how it was violated instead
// of failing t; nil when it held.
func Property(t *testing.T, property func(*rapid.T)) (violated error) {
	t.Helper()
	// Failures by intent are not worth a file to replay them from.
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
		*q.err = fmt.Errorf("%s", s)
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
