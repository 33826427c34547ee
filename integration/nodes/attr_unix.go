//go:build unix && !linux

package nodes

import "syscall"

// procAttr makes the process the leader of a new group.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
