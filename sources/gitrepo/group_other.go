//go:build !unix

package gitrepo

import "os/exec"

// ownGroup leaves it to the system: only git itself is ended.
func ownGroup(*exec.Cmd) {}
