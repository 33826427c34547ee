package nodes

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports lie below the range that Linux gives to outgoing connections. So no
// outgoing connection can take a port before the process listens on it.
const lowPort, highPort = 20_000, 32_000

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// FreeAddr returns 127.0.0.1 with a port that nobody listens on. It never
// returns a port twice.
func FreeAddr() (string, error) {
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
		return addr, nil
	}
	return "", errors.New("no free port on 127.0.0.1")
}
