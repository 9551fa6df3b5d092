package pgserver

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Sweep removes the temporary clusters of owners that died without Close, of this user only. Start calls it. An
// owner holds a lock on its folder for as long as it lives, so a folder whose lock is free is nobody's.
func Sweep() {
	user, err := serverIdentity()
	if err != nil {
		return
	}
	for _, parent := range tempRoots() {
		dirs, err := filepath.Glob(filepath.Join(parent, rootPrefix+"*"))
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			sweep(dir, user, time.Now().Add(-settling))
		}
	}
}

// sweep removes one folder if it is this user's, older than a time, and its owner is dead.
func sweep(root string, user identity, before time.Time) {
	fi, err := os.Lstat(root)
	if err != nil || !fi.IsDir() || fi.ModTime().After(before) || !user.owns(root) {
		return
	}
	lock, err := lockFile(filepath.Join(root, lockName))
	if err != nil {
		return
	}
	defer func() { _ = lock.Close() }() // releases the lock of a folder that is gone
	endOrphan(filepath.Join(root, "data"))
	_ = removeCluster(root, recordedSocketDir(lock.Name())) // what stays is tried again by the next sweep
}

// recordedSocketDir is the socket folder that an owner wrote into its lock file.
func recordedSocketDir(owner string) string {
	b, err := os.ReadFile(owner)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 2 || filepath.Dir(lines[1]) != "/tmp" {
		return ""
	}
	return lines[1]
}
