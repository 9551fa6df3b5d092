//go:build linux || (darwin && !ios)

package pgserver

import "golang.org/x/sys/unix"

// removeSharedMemory removes the small System V segment that a killed postmaster leaves behind. It goes only when the
// id still stands for that key and no process is attached: ids are given out again.
func removeSharedMemory(key, id int) {
	if key == 0 {
		return
	}
	if now, err := unix.SysvShmGet(key, 0, 0); err != nil || now != id {
		return
	}
	var desc unix.SysvShmDesc
	if _, err := unix.SysvShmCtl(id, unix.IPC_STAT, &desc); err != nil || desc.Nattch != 0 {
		return
	}
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) // 56 bytes; not worth failing over
}
