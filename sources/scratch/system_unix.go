//go:build unix

package scratch

import (
	"errors"
	"syscall"
)

// gone reports that no process has the id.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
