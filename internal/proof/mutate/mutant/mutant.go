// Package mutant is the switch that package mutate compiles into the code under test.
// All mutants are in one binary, and an environment variable says which one is on. No
// production code imports it: it comes in through an overlay.
package mutant

import (
	"cmp"
	"os"
	"strconv"
	"syscall"
	"time"
)

// The environment variables.
const (
	// EnvOn has the number of the mutant that is on. Without it none is.
	EnvOn = "ACYCLIC_MUTANT"
	// EnvReached names a file with a byte for each mutant. The byte of a mutant whose
	// place is run becomes 1, also when the process dies.
	EnvReached = "ACYCLIC_REACHED"
)

var (
	on      = number(os.Getenv(EnvOn))
	reached = shared(os.Getenv(EnvReached))
)

func number(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return -1
}

// shared maps a file. It returns nil without one.
func shared(name string) []byte {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	bytes, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return bytes
}

// On says whether mutant n is on.
func On(n int) bool {
	if reached != nil {
		reached[n] = 1
	}
	return n == on
}

// Not negates a condition.
func Not(n int, is bool) bool { return On(n) != is }

// True takes a condition for true.
func True(n int, is bool) bool { return On(n) || is }

// False takes a condition for false.
func False(n int, is bool) bool { return !On(n) && is }

// Zero leaves out a value: a clock, an error.
func Zero[T any](n int, v T) T {
	if On(n) {
		var zero T
		return zero
	}
	return v
}

// Other takes another value: a field, an argument.
func Other[T any](n int, v, other T) T {
	if On(n) {
		return other
	}
	return v
}

// Less is a < b, or a <= b.
func Less[T cmp.Ordered](n int, a, b T) bool { return a < b || On(n) && a == b }

// LessEqual is a <= b, or a < b.
func LessEqual[T cmp.Ordered](n int, a, b T) bool { return a < b || a == b && !On(n) }

// Greater is a > b, or a >= b.
func Greater[T cmp.Ordered](n int, a, b T) bool { return Less(n, b, a) }

// GreaterEqual is a >= b, or a > b.
func GreaterEqual[T cmp.Ordered](n int, a, b T) bool { return LessEqual(n, b, a) }

// Before is a.Before(b), or also true at the same time.
func Before(n int, a, b time.Time) bool { return a.Before(b) || On(n) && a.Equal(b) }

// After is a.After(b), or also true at the same time.
func After(n int, a, b time.Time) bool { return Before(n, b, a) }

// Number is what can be added and taken away.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Plus is a + b, or a.
func Plus[T Number](n int, a, b T) T {
	if On(n) {
		return a
	}
	return a + b
}

// Minus is a - b, or a.
func Minus[T Number](n int, a, b T) T {
	if On(n) {
		return a
	}
	return a - b
}

// Min is the smaller one, or the first one.
func Min[T cmp.Ordered](n int, a, b T) T {
	if On(n) {
		return a
	}
	return min(a, b)
}

// Max is the greater one, or the first one.
func Max[T cmp.Ordered](n int, a, b T) T {
	if On(n) {
		return a
	}
	return max(a, b)
}
