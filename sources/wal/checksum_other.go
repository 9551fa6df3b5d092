//go:build !amd64

package wal

// allOK reports that no checksum is wrong.
func allOK(page []byte, at []uint32) bool {
	return false // one by one
}
