package heap

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrNoEncoding is returned by EncodeKey for types whose equal values may be stored differently, such as numeric. Compare them
// with EqualText.
var ErrNoEncoding = errors.New("type has no single stored form")

// EncodeKey returns the bytes that a value of the type has on disk, without varlena header: integers little-endian, uuid as its 16
// bytes, text as it is. An error other than ErrNoEncoding means that the text is no value of the type, so no row can hold it.
func EncodeKey(typeOID uint32, s string) ([]byte, error) {
	switch typeOID {
	case oidInt2:
		return encodeInt(s, 16)
	case oidInt4:
		return encodeInt(s, 32)
	case oidInt8:
		return encodeInt(s, 64)
	case oidOid, oidXid, oidRegclass:
		return encodeUint(s, 32)
	case oidXid8:
		return encodeUint(s, 64)
	case oidBool:
		return encodeBool(s)
	case oidUUID:
		return encodeUUID(s)
	case oidText, oidVarchar, oidJSON, oidXML:
		return []byte(s), nil
	case oidBpchar:
		return nil, ErrNoEncoding // stored padded
	case oidName:
		if len(s) > 63 {
			return nil, fmt.Errorf("name of %d bytes: longer than 63", len(s))
		}
		return append([]byte(s), make([]byte, 64-len(s))...), nil
	case oidBytea:
		return encodeBytea(s)
	}
	return encodeTime(typeOID, s)
}

func encodeInt(s string, bits int) ([]byte, error) {
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err != nil {
		return nil, fmt.Errorf("integer key: %w", err)
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(v))[:bits/8], nil
}

func encodeUint(s string, bits int) ([]byte, error) {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, bits)
	if err != nil {
		return nil, fmt.Errorf("unsigned key: %w", err)
	}
	return binary.LittleEndian.AppendUint64(nil, v)[:bits/8], nil
}

func encodeBool(s string) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "t", "true", "yes", "on", "1":
		return []byte{1}, nil
	case "f", "false", "no", "off", "0":
		return []byte{0}, nil
	}
	return nil, fmt.Errorf("boolean key %q", s)
}

func encodeUUID(s string) ([]byte, error) {
	h := strings.NewReplacer("-", "", "{", "", "}", "").Replace(strings.TrimSpace(s))
	b, err := hex.DecodeString(h)
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("uuid key %q: want 32 hex digits", s)
	}
	return b, nil
}

func encodeBytea(s string) ([]byte, error) {
	h, ok := strings.CutPrefix(s, `\x`)
	if !ok {
		return nil, fmt.Errorf(`bytea key %q: want \x and hex digits`, s)
	}
	b, err := hex.DecodeString(h)
	if err != nil {
		return nil, fmt.Errorf("bytea key: %w", err)
	}
	return b, nil
}

func encodeTime(typeOID uint32, s string) ([]byte, error) {
	switch typeOID {
	case oidDate:
		t, err := time.Parse("2006-01-02", strings.TrimSpace(s))
		if err != nil {
			return nil, fmt.Errorf("date key: %w", err)
		}
		days, _ := floorDiv(t.Unix()-EpochOffset, 86400)
		if days < math.MinInt32 || days > math.MaxInt32 {
			return nil, fmt.Errorf("date key %q out of range", s)
		}
		return binary.LittleEndian.AppendUint32(nil, uint32(days)), nil
	case oidTimestamp, oidTimestamptz:
		t, err := parseTimestamp(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		return binary.LittleEndian.AppendUint64(nil, uint64((t.Unix()-EpochOffset)*1e6+int64(t.Nanosecond()/1000))), nil
	}
	return nil, ErrNoEncoding
}

func parseTimestamp(s string) (time.Time, error) {
	for _, f := range []string{
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00",
		"2006-01-02T15:04:05", "2006-01-02",
	} {
		if t, err := time.Parse(f, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("timestamp key %q: want 2006-01-02 15:04:05", s)
}

// EqualText reports whether two texts name the same value of a type: numbers by value, uuids in any spelling, char(n) without trailing
// blanks, everything else byte for byte.
func EqualText(typeOID uint32, a, b string) bool {
	if a == b {
		return true
	}
	switch typeOID {
	case oidNumeric:
		return normalNumber(a) == normalNumber(b)
	case oidBpchar:
		return strings.TrimRight(a, " ") == strings.TrimRight(b, " ")
	case oidFloat4, oidFloat8:
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		return err1 == nil && err2 == nil && x == y
	case oidText, oidVarchar, oidName, oidJSON, oidXML:
		return false
	}
	x, err1 := EncodeKey(typeOID, a)
	y, err2 := EncodeKey(typeOID, b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func normalNumber(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	s, negative := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	s = whole + "." + frac
	if negative && s != "." {
		return "-" + s
	}
	return s
}
