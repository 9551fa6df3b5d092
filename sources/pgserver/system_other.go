//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package pgserver

import (
	"errors"
	"os"
	"syscall"
)

const promoteSignal = syscall.SIGTERM

// identity stands for the calling user. Throwaway servers are not run on this system: serverIdentity refuses.
type identity struct{ uid int }

var errSystem = errors.New("throwaway PostgreSQL servers are not supported on this system")

func serverIdentity() (identity, error) { return identity{}, errors.Join(ErrNoServer, errSystem) }

func (identity) attr(bool) *syscall.SysProcAttr { return nil }
func (identity) own(string) error               { return errSystem }
func (identity) owns(string) bool               { return false }
func (identity) canReach(string) error          { return errSystem }
func (identity) writeFile(string, string) error { return errSystem }

func openLog(string) (*os.File, error)  { return nil, errSystem }
func lockFile(string) (*os.File, error) { return nil, errSystem }
func killTree(int)                      {}
func endOrphan(string)                  {}
