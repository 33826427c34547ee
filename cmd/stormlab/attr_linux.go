package main

import "syscall"

// procAttr makes the process the leader of a group of its own, and has the
// kernel kill it when the thread that started it ends (see process.run).
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
