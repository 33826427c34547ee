package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports are taken from below the range that Linux gives to outgoing
// connections, so that none of those can take a port between our choice and the
// process's listen.
const lowPort, highPort = 20_000, 32_000

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// FreeAddr returns 127.0.0.1 with a port that nobody listens on and that was
// not returned before.
func FreeAddr(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		port := lowPort + rand.IntN(highPort-lowPort)
		if ports.taken[port] {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		l.Close()
		if ports.taken == nil {
			ports.taken = map[int]bool{}
		}
		ports.taken[port] = true
		return addr
	}
	t.Fatal("no free port on 127.0.0.1")
	return ""
}
