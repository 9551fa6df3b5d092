//go:build !linux

package mapped

import "errors"

const (
	able  = false
	align = 64 << 10
)

func (*File) mmap(int64, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func munmap([]byte) {}

func (*File) cached(int64, int64) bool { return false }

func faults() int64 { return 0 }
