package main

import (
	"fmt"
	"net"
)

// listenLoopback binds the address of --profile.
func listenLoopback(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--profile: cannot listen on %s: %w; choose another port", addr, err)
	}
	return l, nil
}
