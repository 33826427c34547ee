package steptest

import (
	"reflect"
	"runtime"
)

// Fill returns bounds with the zero fields taken from standard. A test names only
// the bounds that it wants to be different.
func Fill[B any](bounds, standard B) B {
	to, from := reflect.ValueOf(&bounds).Elem(), reflect.ValueOf(standard)
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return bounds
}

// Heap measures the bytes of memory that build's result keeps alive. No other
// goroutine may allocate meanwhile.
func Heap(build func() any) int {
	before := live()
	kept := build()
	after := live()
	runtime.KeepAlive(kept)
	return after - before
}

func live() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has only finalised
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
