package heap

import (
	"errors"
	"fmt"
)

// MaxDatum is the largest value this package will decompress or assemble, in bytes: PostgreSQL's own limit of 1 GB is lowered so
// that damaged length words cannot exhaust memory.
const MaxDatum = 64 << 20

var errCompressed = errors.New("damaged compressed data")

// DecompressPGLZ expands data written by pglz_compress (common/pg_lzcompress.c) to exactly rawSize bytes. Damaged input, or a
// rawSize above MaxDatum, is an error; memory is bounded by rawSize and by what the input can expand to.
func DecompressPGLZ(src []byte, rawSize int) ([]byte, error) {
	// One control bit and three bytes make at most 273 bytes.
	if rawSize < 0 || rawSize > MaxDatum || rawSize > len(src)*273 {
		return nil, fmt.Errorf("%w: %d bytes said to expand to %d", errCompressed, len(src), rawSize)
	}
	dst := make([]byte, 0, rawSize)
	for i := 0; i < len(src) && len(dst) < rawSize; {
		control := src[i]
		i++
		for bit := 0; bit < 8 && i < len(src) && len(dst) < rawSize; bit++ {
			if control>>bit&1 == 0 {
				dst = append(dst, src[i])
				i++
				continue
			}
			if i+1 >= len(src) {
				return nil, errCompressed
			}
			length, back := int(src[i]&0x0f)+3, int(src[i]&0xf0)<<4|int(src[i+1])
			i += 2
			if length == 18 {
				if i >= len(src) {
					return nil, errCompressed
				}
				length += int(src[i])
				i++
			}
			if back == 0 || back > len(dst) {
				return nil, errCompressed
			}
			length = min(length, rawSize-len(dst))
			for from := len(dst) - back; length > 0; length-- {
				dst = append(dst, dst[from])
				from++
			}
		}
	}
	if len(dst) != rawSize {
		return nil, fmt.Errorf("%w: %d bytes of %d", errCompressed, len(dst), rawSize)
	}
	return dst, nil
}
