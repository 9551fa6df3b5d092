package pgserver

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a postmaster that this process started. The nil process is one that never ran.
type process struct {
	pid  int
	os   *os.Process
	done chan struct{} // closed once it has been waited for
}

// startProcess runs a program as the server's user, in its own process group, with its output in a file.
func startProcess(exe string, args []string, dir string, log *os.File, user identity) (*process, error) {
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = serverEnv()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = user.attr(true)
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the parent-death signal when the *thread* that forked ends, so that thread is kept.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended shows in its log
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid, p.os = cmd.Process.Pid, cmd.Process
	return p, nil
}

func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) signal(sig syscall.Signal) error { return p.os.Signal(sig) }

// crash stops the postmaster so that it neither notices nor replaces anything, kills its children, then itself.
// The children lead sessions of their own, so a signal to the process group would miss them.
func (p *process) crash() {
	killTree(p.pid)
	<-p.done
}
