//go:build unix

package walfetch

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a command the head of a process group, which is asked to end
// as a whole when the command's context ends.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// endGroup ends what is left of a command's group. It is called right after the
// command was waited for, so that the group's id cannot be another's yet.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // none is left, as a rule
	}
}
