package investigations

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
	"time"
)

// TimeInID returns the creation time that an id carries in itself, and what
// kind of id it is: UUID version 1, 6 or 7 (RFC 9562), ULID, KSUID or MongoDB
// ObjectId. A time outside 2000 to 2100 is taken as chance and refused. Plain
// numbers (Snowflakes) are not read: their epoch is the issuer's secret.
func TimeInID(id string) (time.Time, string, bool) {
	id = strings.TrimSpace(id)
	if strings.Trim(id, "0123456789") == "" {
		return time.Time{}, "", false
	}
	for _, try := range []func(string) (time.Time, string, bool){uuidTime, ulidTime, ksuidTime, objectIDTime} {
		if t, how, ok := try(id); ok && t.Year() >= 2000 && t.Year() < 2100 {
			return t.UTC(), "the time inside the " + how, true
		}
	}
	return time.Time{}, "", false
}

func uuidTime(id string) (time.Time, string, bool) {
	h := strings.NewReplacer("-", "", "{", "", "}", "").Replace(id)
	b, err := hex.DecodeString(h)
	if err != nil || len(b) != 16 || b[8]&0xc0 != 0x80 {
		return time.Time{}, "", false
	}
	switch b[6] >> 4 {
	case 1:
		low, mid, high := uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint16(b[4:])), uint64(binary.BigEndian.Uint16(b[6:])&0xfff)
		return gregorian(high<<48 | mid<<32 | low), "UUIDv1", true
	case 6:
		high, low := uint64(binary.BigEndian.Uint32(b))<<16|uint64(binary.BigEndian.Uint16(b[4:])), uint64(binary.BigEndian.Uint16(b[6:])&0xfff)
		return gregorian(high<<12 | low), "UUIDv6", true
	case 7:
		ms := int64(binary.BigEndian.Uint64(append([]byte{0, 0}, b[:6]...)))
		return time.UnixMilli(ms), "UUIDv7", true
	}
	return time.Time{}, "", false
}

// gregorian converts 100 ns ticks since 15 October 1582.
func gregorian(ticks uint64) time.Time {
	const toUnix = 0x01B21DD213814000
	t := int64(ticks - toUnix)
	return time.Unix(t/1e7, t%1e7*100)
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func ulidTime(id string) (time.Time, string, bool) {
	if len(id) != 26 || id[0] > '7' {
		return time.Time{}, "", false
	}
	var ms int64
	for i, c := range strings.ToUpper(id) {
		d := strings.IndexRune(crockford, c)
		if d < 0 {
			return time.Time{}, "", false
		}
		if i < 10 {
			ms = ms<<5 | int64(d)
		}
	}
	return time.UnixMilli(ms), "ULID", true
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// ksuidTime reads the 32-bit seconds since 14 May 2014 in front of 16 bytes.
func ksuidTime(id string) (time.Time, string, bool) {
	if len(id) != 27 {
		return time.Time{}, "", false
	}
	n := new(big.Int)
	for _, c := range id {
		d := strings.IndexRune(base62, c)
		if d < 0 {
			return time.Time{}, "", false
		}
		n.Mul(n, big.NewInt(62)).Add(n, big.NewInt(int64(d)))
	}
	if n.BitLen() > 160 {
		return time.Time{}, "", false
	}
	const epoch = 1400000000
	return time.Unix(n.Rsh(n, 128).Int64()+epoch, 0), "KSUID", true
}

func objectIDTime(id string) (time.Time, string, bool) {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != 12 {
		return time.Time{}, "", false
	}
	return time.Unix(int64(binary.BigEndian.Uint32(b)), 0), "ObjectId", true
}
