package nodes

import "syscall"

// procAttr makes the process the leader of a new group. The kernel kills it when
// the thread that started it ends (see Process.run).
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
