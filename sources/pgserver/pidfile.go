package pgserver

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pidFile is what a postmaster writes into postmaster.pid (miscadmin.h, LOCK_FILE_LINE_*): line 1 its process id, 7
// key and id of its System V shared memory, 8 its status.
type pidFile struct {
	pid           int
	shmKey, shmID int
	status        string
}

func readPIDFile(data string) (pidFile, error) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	lines := strings.Split(string(b), "\n")
	var pf pidFile
	if pf.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil {
		return pidFile{}, fmt.Errorf("read postmaster.pid: %w", err)
	}
	if len(lines) > 6 {
		// Absent until shared memory is set up; zero then, which is no segment of anyone's.
		_, _ = fmt.Sscan(lines[6], &pf.shmKey, &pf.shmID)
	}
	if len(lines) > 7 {
		pf.status = strings.TrimSpace(lines[7])
	}
	return pf, nil
}

// inProduction reads the state that pg_control holds at byte 16, after the system identifier and two version numbers
// (catalog/pg_control.h, the same in 13 to 18); 6 is DB_IN_PRODUCTION. pg_ctl watches it for a promotion too.
func inProduction(data string) bool {
	const offset, production = 16, 6
	b, err := os.ReadFile(filepath.Join(data, "global", "pg_control"))
	return err == nil && len(b) >= offset+4 && binary.NativeEndian.Uint32(b[offset:]) == production
}
