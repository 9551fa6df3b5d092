package heap

import "encoding/binary"

const (
	checksumSums  = 32
	checksumPrime = 16777619
)

// The initial values of the 32 partial sums (storage/checksum_impl.h, checksumBaseOffsets).
var checksumBase = [checksumSums]uint32{
	0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
	0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
	0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
	0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
}

// Checksum computes the data checksum of a page that lies at block blkno of its relation, as pg_checksum_page does
// (storage/checksum_impl.h: 32 interleaved FNV-1a sums). A page shorter than PageSize gives 0, which is never a valid checksum.
// Compare it with Page.Checksum when the cluster has checksums; the block number counts over all 1 GB files of the relation.
func Checksum(page []byte, blkno uint32) uint16 {
	if len(page) < PageSize {
		return 0
	}
	sums := checksumBase
	le := binary.LittleEndian
	for i := 0; i < PageSize; i += 4 * checksumSums {
		for j := range sums {
			v := le.Uint32(page[i+4*j:])
			if i == 0 && j == 2 {
				v &= 0xffff0000 // the checksum field itself counts as zero
			}
			sums[j] = checksumMix(sums[j], v)
		}
	}
	var result uint32
	for round := 0; round < 2; round++ {
		for j := range sums {
			sums[j] = checksumMix(sums[j], 0)
		}
	}
	for _, s := range sums {
		result ^= s
	}
	return uint16((result^blkno)%65535 + 1)
}

func checksumMix(sum, v uint32) uint32 {
	t := sum ^ v
	return t*checksumPrime ^ t>>17
}
