//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package pgserver

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing here: these systems have no parent-death signal, so a killed owner's server is left to Sweep.
func dieWithParent(*syscall.SysProcAttr, bool) {}

func listProcesses() []procInfo {
	out, err := exec.Command("ps", "-axo", "pid=,ppid=,state=").Output()
	if err != nil {
		return nil
	}
	var all []procInfo
	for line := range strings.Lines(string(out)) {
		var p procInfo
		var state string
		if _, err := fmt.Sscan(line, &p.pid, &p.ppid, &state); err == nil {
			p.dead = strings.HasPrefix(state, "Z")
			all = append(all, p)
		}
	}
	return all
}

// commandNames reports whether a process's command line holds this text.
func commandNames(pid int, arg string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), arg)
}
