//go:build unix && !linux

package main

import "syscall"

// procAttr makes the process the leader of a group of its own.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
