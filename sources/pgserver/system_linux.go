package pgserver

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// dieWithParent asks the kernel to signal the child when the thread that starts it ends: a server then shuts down
// at once and cleans up after itself; anything else is killed.
func dieWithParent(attr *syscall.SysProcAttr, server bool) {
	attr.Pdeathsig = syscall.SIGKILL
	if server {
		attr.Pdeathsig = syscall.SIGQUIT
	}
}

// listProcesses reads /proc, because small images have no ps.
func listProcesses() []procInfo {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var all []procInfo
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // ended meanwhile
		}
		if p, ok := parseStat(b); ok {
			all = append(all, p)
		}
	}
	return all
}

// parseStat reads `pid (name) state ppid …` of proc(5); the name may hold spaces and brackets.
func parseStat(b []byte) (procInfo, bool) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return procInfo{}, false
	}
	fields := bytes.Fields(b[end+1:])
	if len(fields) < 2 {
		return procInfo{}, false
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b[:open])))
	if err != nil {
		return procInfo{}, false
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return procInfo{}, false
	}
	return procInfo{pid: pid, ppid: ppid, dead: bytes.ContainsAny(fields[0], "ZX")}, true
}

// commandNames reports whether a process was started with this exact argument.
func commandNames(pid int, arg string) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(bytes.Split(b, []byte{0}), func(word []byte) bool { return string(word) == arg })
}
