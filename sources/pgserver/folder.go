package pgserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	rootPrefix = "inquest-pg-"
	sockPrefix = "inquest-sock-"
	lockName   = "owner"
	// maxSocketPath is what fits into sockaddr_un everywhere: 107 bytes on Linux, 103 on macOS and the BSDs.
	maxSocketPath = 103
	// settling is how long a new folder is left alone before it counts as left over: its owner may not have locked it yet.
	settling = 10 * time.Second
)

// cacheDir is where templates and downloaded servers are kept. Root's own cache folder is closed to the user that root's
// servers run as, so root uses the machine's.
func cacheDir() string {
	if os.Geteuid() == 0 {
		if runtime.GOOS == "darwin" {
			return "/Library/Caches/inquest"
		}
		return "/var/cache/inquest"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "inquest")
}

// VersionsDir is the folder whose subfolders, named by major version, hold servers fetched for tests: INQUEST_PG_CACHE, or
// `postgres` in inquest's cache folder.
func VersionsDir() string {
	if dir := os.Getenv("INQUEST_PG_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(cacheDir(), "postgres")
}

// tempRoots are the folders that temporary clusters are made in, the preferred one first.
func tempRoots() []string {
	roots := []string{os.TempDir()}
	if runtime.GOOS != "windows" && filepath.Clean(roots[0]) != "/tmp" {
		roots = append(roots, "/tmp")
	}
	return roots
}

// makeRoot makes the folder of the whole cluster and locks it as this process's.
func (s *Server) makeRoot(dir string) error {
	var err error
	if dir == "" {
		s.root, err = s.tempRoot()
	} else {
		s.root, err = givenRoot(dir)
	}
	if err != nil {
		return err
	}
	if err := s.user.own(s.root); err != nil {
		return err
	}
	if err := s.user.canReach(s.root); err != nil {
		return err
	}
	if s.lock, err = lockFile(filepath.Join(s.root, lockName)); err != nil {
		return fmt.Errorf("lock %s: %w", s.root, err)
	}
	if err := s.mkdir(s.ScratchDir()); err != nil {
		return err
	}
	if err := s.makeSocketDir(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.lock, "%d\n%s\n", os.Getpid(), s.sock)
	return err
}

// tempRoot makes a folder in the first temporary folder that the server's user can enter.
func (s *Server) tempRoot() (string, error) {
	var refused error
	for _, parent := range tempRoots() {
		if err := s.user.canReach(parent); err != nil {
			refused = err
			continue
		}
		return os.MkdirTemp(parent, rootPrefix)
	}
	return "", refused
}

func givenRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, os.MkdirAll(dir, 0o700)
	case err != nil:
		return "", fmt.Errorf("open the server's folder: %w", err)
	case len(entries) > 0:
		return "", fmt.Errorf("use %s for a server: the folder is not empty", dir)
	}
	return dir, nil
}

func (s *Server) makeSocketDir() error {
	s.sock = filepath.Join(s.root, "sock")
	if len(s.sock)+len("/.s.PGSQL.65535") <= maxSocketPath {
		return s.mkdir(s.sock)
	}
	var err error
	if s.sock, err = os.MkdirTemp("/tmp", sockPrefix); err != nil {
		return fmt.Errorf("make a folder for the socket: %w", err)
	}
	return s.user.own(s.sock)
}

func (s *Server) mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return s.user.own(dir)
}

// removeRoot removes the cluster, its socket folder and what a crash left in shared memory. The lock goes last.
func (s *Server) removeRoot() error {
	if s.root == "" {
		return nil
	}
	err := removeCluster(s.root, s.sock)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// removeCluster removes the folder of a cluster whose processes have ended.
func removeCluster(root, sock string) error {
	if pf, err := readPIDFile(filepath.Join(root, "data")); err == nil {
		removeSharedMemory(pf.shmKey, pf.shmID)
	}
	err := os.RemoveAll(root)
	if strings.HasPrefix(filepath.Base(sock), sockPrefix) {
		err = errors.Join(err, os.RemoveAll(sock))
	}
	return err
}
