package heap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// Text returns a value of a built-in type as PostgreSQL prints it, from its bytes without varlena header. The second result is
// true when the type has no decoder or the bytes do not fit it: the text is then \x and hex digits.
func Text(typeOID uint32, raw []byte) (string, bool) { return text(typeOID, raw, nil) }

func text(oid uint32, b []byte, c *Column) (string, bool) {
	if s, ok := typedText(oid, b, c); ok {
		return s, false
	}
	return `\x` + hex.EncodeToString(b), true
}

func typedText(oid uint32, b []byte, c *Column) (string, bool) {
	switch oid {
	case oidText, oidVarchar, oidBpchar, oidJSON, oidXML:
		return string(b), true
	case oidName:
		s, _, _ := strings.Cut(string(b), "\x00")
		return s, true
	case oidBytea:
		return `\x` + hex.EncodeToString(b), true
	case oidNumeric:
		return numericText(b)
	case oidJSONB:
		return jsonbText(b)
	case oidInet, oidCidr:
		return inetText(b, oid == oidCidr)
	case oidBit, oidVarbit:
		return bitText(b)
	}
	if s, ok := fixedText(oid, b); ok {
		return s, true
	}
	if _, ok := rangeElements[oid]; ok {
		return rangeText(oid, b)
	}
	if arrayTypes[oid] {
		return arrayText(b, c)
	}
	return userTypeText(b, c)
}

// userTypeText decodes what can be told from the column alone: enums, arrays of built-in types or enums, and citext, which is text.
func userTypeText(b []byte, c *Column) (string, bool) {
	if c == nil {
		return "", false
	}
	switch {
	case c.Len == 4 && c.Labels != nil && len(b) == 4:
		return enumText(b, c.Labels), true
	case c.Len == -1 && (strings.HasPrefix(c.TypeName, "_") || strings.HasSuffix(c.TypeName, "[]")):
		return arrayText(b, c)
	case c.TypeName == "citext" || strings.HasSuffix(c.TypeName, ".citext"):
		return string(b), true
	}
	return "", false
}

func enumText(b []byte, labels map[uint32]string) string {
	oid := binary.LittleEndian.Uint32(b)
	if l, ok := labels[oid]; ok {
		return l
	}
	return strconv.FormatUint(uint64(oid), 10)
}

func fixedText(oid uint32, b []byte) (string, bool) {
	l, ok := layouts[oid]
	if !ok || l.len < 0 || int(l.len) != len(b) {
		return "", false
	}
	le := binary.LittleEndian
	switch oid {
	case oidBool:
		return [2]string{"f", "t"}[min(b[0], 1)], true
	case oidChar:
		return charText(b[0]), true
	case oidInt2:
		return strconv.Itoa(int(int16(le.Uint16(b)))), true
	case oidInt4:
		return strconv.Itoa(int(int32(le.Uint32(b)))), true
	case oidInt8:
		return strconv.FormatInt(int64(le.Uint64(b)), 10), true
	case oidOid, oidXid, oidCid, oidRegclass:
		return strconv.FormatUint(uint64(le.Uint32(b)), 10), true
	case oidXid8:
		return strconv.FormatUint(le.Uint64(b), 10), true
	case oidLSN:
		v := le.Uint64(b)
		return fmt.Sprintf("%X/%X", v>>32, uint32(v)), true
	case oidTid:
		return TID{Block: uint32(le.Uint16(b))<<16 | uint32(le.Uint16(b[2:])), Offset: le.Uint16(b[4:])}.String(), true
	case oidFloat4:
		return floatText(float64(math.Float32frombits(le.Uint32(b))), 32), true
	case oidFloat8:
		return floatText(float8(b), 64), true
	case oidMoney:
		return moneyText(int64(le.Uint64(b))), true
	case oidUUID:
		return uuidText(b), true
	case oidMacaddr, oidMacaddr8:
		return macText(b), true
	case oidPoint:
		return pointText(b), true
	case oidLseg:
		return "[" + pointText(b) + "," + pointText(b[16:]) + "]", true
	case oidBox:
		return pointText(b) + "," + pointText(b[16:]), true
	}
	return timeText(oid, b)
}

func charText(b byte) string {
	if b == 0 {
		return ""
	}
	if b >= 0x80 {
		return fmt.Sprintf(`\%03o`, b)
	}
	return string(rune(b))
}

func float8(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

// floatText prints the shortest digits that read back equal, in the style of float8out: fixed below 1e15 (float4: 1e6).
func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	e := strconv.FormatFloat(f, 'e', -1, bits)
	_, exp, _ := strings.Cut(e, "e")
	n, _ := strconv.Atoi(exp)
	limit := 15
	if bits == 32 {
		limit = 6
	}
	if n < -4 || n >= limit {
		return e
	}
	return strconv.FormatFloat(f, 'f', -1, bits)
}

func pointText(b []byte) string {
	return "(" + floatText(float8(b), 64) + "," + floatText(float8(b[8:]), 64) + ")"
}

// moneyText prints cents with two decimals and no currency sign: the sign depends on lc_monetary, which pages do not hold.
func moneyText(v int64) string {
	sign, u := "", uint64(v)
	if v < 0 {
		sign, u = "-", -u
	}
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

func uuidText(b []byte) string {
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func macText(b []byte) string {
	parts := make([]string, len(b))
	for i, v := range b {
		parts[i] = fmt.Sprintf("%02x", v)
	}
	return strings.Join(parts, ":")
}

// inetText reads inet_struct: family 2 or 3, prefix length, address (utils/inet.h).
func inetText(b []byte, cidr bool) (string, bool) {
	if len(b) < 2 {
		return "", false
	}
	a, ok := netip.AddrFromSlice(b[2:])
	if !ok || (b[0] == 2) != a.Is4() || int(b[1]) > a.BitLen() {
		return "", false
	}
	if !cidr && int(b[1]) == a.BitLen() {
		return a.String(), true
	}
	return a.String() + "/" + strconv.Itoa(int(b[1])), true
}

func bitText(b []byte) (string, bool) {
	if len(b) < 4 {
		return "", false
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 || (n+7)/8 != len(b)-4 {
		return "", false
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + b[4+i/8]>>(7-i%8)&1
	}
	return string(out), true
}
