// Package config may not wait, whatever it says.
package config

import (
	"sync"
	"time"
)

var (
	ready chan int
	mu    sync.Mutex
)

// correctness: it ends at once.
func load() {
	<-ready       // want "config receives from a channel, and may not wait at all"
	time.Sleep(1) // want "config calls time.Sleep, and may not wait at all"
	mu.Lock()     // want "config calls .*Lock, and may not wait at all"
	select {
	case <-ready:
	default:
	}
}
