// Package scratch makes the private temporary folders in which drivers keep
// bytes that must be read several times, such as WAL from an archive.
//
// A folder goes with Close. One whose owner was killed is swept by the next New.
package scratch

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const prefix = "inquest-scratch-"

// Folder is a private folder; only this user may enter it.
type Folder struct {
	path string
	once sync.Once
	err  error
}

// New makes a folder below the system's folder for temporary files, after it
// has removed those that killed processes of this user left behind.
func New() (*Folder, error) {
	Sweep()
	path, err := os.MkdirTemp("", prefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	return &Folder{path: path}, nil
}

// Path returns the folder's path.
func (f *Folder) Path() string { return f.path }

// File returns the path of a file in the folder.
func (f *Folder) File(name string) string { return filepath.Join(f.path, name) }

// Close removes the folder with all that is in it. It may be called twice.
func (f *Folder) Close() error {
	f.once.Do(func() { f.err = os.RemoveAll(f.path) })
	return f.err
}

// Sweep removes the folders of processes that are gone. What it may not remove
// belongs to another user and stays.
func Sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return
	}
	for _, d := range dirs {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(d), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && n > 1 && n != os.Getpid() && gone(n) {
			_ = os.RemoveAll(d) // another user's stays
		}
	}
}

// Room returns how many bytes may still be written to the folder so that a
// twentieth of its file system, and 1 GiB when that is less, stays free; false
// where the system does not tell.
func (f *Folder) Room() (int64, bool) {
	free, total, ok := space(f.path)
	if !ok {
		return 0, false
	}
	return max(free-min(total/20, 1<<30), 0), true
}
