package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// RSS is the memory in use, in bytes; zero if it is not known.
func (p *Process) RSS() int64 {
	if rss := p.status("VmRSS:"); rss > 0 {
		return rss
	}
	out, _ := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(p.Pid())).Output()
	return kib(string(out))
}

// PeakRSS is the most memory that was ever in use, in bytes; zero if it is not
// known.
func (p *Process) PeakRSS() int64 { return p.status("VmHWM:") }

// status reads a size from proc(5)'s status.
func (p *Process) status(name string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	_, rest, _ := strings.Cut(string(text), name)
	return kib(rest)
}

func kib(text string) int64 {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[0], 10, 64)
	return n << 10
}

// CPU is the processor time used, in seconds. Only Linux tells it finely enough
// for a plot; elsewhere it is zero.
func (p *Process) CPU() float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	return ticks(string(stat))
}

// ticks reads utime and stime, fields 14 and 15 of proc(5)'s stat. Field 2, the
// name, may have spaces but ends with the last parenthesis.
func ticks(stat string) float64 {
	const perSecond = 100 // USER_HZ, the same on every Linux
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / perSecond
}
