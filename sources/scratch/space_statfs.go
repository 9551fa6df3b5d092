//go:build linux || darwin

package scratch

import "syscall"

func space(path string) (free, total int64, ok bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, 0, false
	}
	size := int64(st.Bsize) //nolint:unconvert // its type differs between systems
	return int64(st.Bavail) * size, int64(st.Blocks) * size, true
}
