//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package pgserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// promoteSignal tells a postmaster to look for the file that asks for promotion.
const promoteSignal = syscall.SIGUSR1

// identity is the user a server runs as and its files belong to. PostgreSQL refuses to run as root, so root drops to
// another one.
type identity struct {
	uid, gid int
	name     string
	drop     bool
}

// serverIdentity is the calling user, or for root the user postgres or, failing that, nobody.
func serverIdentity() (identity, error) {
	if uid := os.Geteuid(); uid != 0 {
		return identity{uid: uid, gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		if uerr == nil && gerr == nil && uid > 0 {
			return identity{uid: uid, gid: gid, name: name, drop: true}, nil
		}
	}
	return identity{}, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

// attr makes a child run as the server's user in a process group of its own, out of reach of the terminal's Ctrl-C.
// A server also dies with its owner where the system can see to that.
func (u identity) attr(server bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if u.drop {
		attr.Credential = &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.gid)}
	}
	dieWithParent(attr, server)
	return attr
}

// own gives a file or folder to the server's user.
func (u identity) own(path string) error {
	if !u.drop {
		return nil
	}
	return os.Lchown(path, u.uid, u.gid)
}

// owns reports whether a folder is there and is the server's user's, and not a link to one.
func (u identity) owns(dir string) bool {
	fi, err := os.Lstat(dir)
	if err != nil || !fi.IsDir() {
		return false
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == u.uid
}

// canReach returns an error that names the first folder on the way to dir, or dir itself, that the server's user may not
// enter. Only a dropped identity is checked: others find out for themselves.
func (u identity) canReach(dir string) error {
	if !u.drop {
		return nil
	}
	for p := dir; ; p = filepath.Dir(p) {
		fi, err := os.Stat(p)
		if err != nil {
			return err
		}
		if !u.mayEnter(fi) {
			return fmt.Errorf("user %s, who runs PostgreSQL for root, may not enter %s: %w", u.name, p, fs.ErrPermission)
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}

func (u identity) mayEnter(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	switch {
	case int(st.Uid) == u.uid:
		return fi.Mode()&0o100 != 0
	case int(st.Gid) == u.gid:
		return fi.Mode()&0o010 != 0
	}
	return fi.Mode()&0o001 != 0
}

// writeFile replaces a file in one step and gives it to the server's user. It never writes through a link, because root
// writes here into folders of another user.
func (u identity) writeFile(path, content string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = u.own(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// openLog opens the server's log for appending; a link in its place is an error.
func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
}

// lockFile opens a file and locks it until it is closed or this process ends. It fails when another holds the lock.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// procInfo is a running process as the system lists it.
type procInfo struct {
	pid, ppid int
	dead      bool // ended, and not yet collected by its parent
}

// killTree freezes a process so that it neither notices nor replaces anything, kills all that descend from it, then the
// process itself, and waits until the descendants let go of their memory.
func killTree(pid int) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return // gone already
	}
	victims := map[int]bool{pid: true}
	for _, child := range descendants(pid) {
		victims[child] = true
		_ = syscall.Kill(child, syscall.SIGKILL) // may have ended by itself
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for end := time.Now().Add(closeLimit); anyAlive(victims) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

func anyAlive(victims map[int]bool) bool {
	for _, p := range listProcesses() {
		if victims[p.pid] && !p.dead {
			return true
		}
	}
	return false
}

// descendants lists the children of a process, their children, and so on.
func descendants(pid int) []int {
	all := listProcesses()
	family := map[int]bool{pid: true}
	var found []int
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if family[p.ppid] && !family[p.pid] {
				family[p.pid] = true
				found = append(found, p.pid)
				grown = true
			}
		}
	}
	return found
}

// endOrphan kills the postmaster of a data directory whose owner is gone. The process id in the file may be
// anyone's by now, so its command line has to name the folder.
func endOrphan(data string) {
	pf, err := readPIDFile(data)
	if err == nil && pf.pid > 1 && commandNames(pf.pid, data) {
		killTree(pf.pid)
	}
}
