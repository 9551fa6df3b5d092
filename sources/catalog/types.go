package catalog

import (
	"slices"

	"inquest/sources/heap"
)

// TypeOIDs of the types that an id is looked for in.
var TypeOIDs = map[string]uint32{
	"int2": 21, "int4": 23, "int8": 20, "oid": 26, "uuid": 2950, "bytea": 17, "text": 25, "varchar": 1043, "bpchar": 1042, "name": 19, "numeric": 1700,
}

// TypesFor returns the names of the types that have this text as a value.
func TypesFor(id string) []string {
	out := []string{"text", "varchar", "bpchar", "citext"}
	if len(id) < 64 {
		out = append(out, "name")
	}
	for _, t := range []string{"int2", "int4", "int8", "uuid", "bytea"} {
		if _, err := heap.EncodeKey(TypeOIDs[t], id); err == nil {
			out = append(out, t)
		}
	}
	if len(spellings(id)) > 0 && !slices.Contains(out, "bytea") {
		out = append(out, "bytea") // as its 16 bytes
	}
	if isNumeric(id) {
		out = append(out, "numeric")
	}
	return out
}

func isNumeric(s string) bool {
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.', i == 0 && (r == '-' || r == '+'):
		default:
			return false
		}
	}
	return digits > 0
}

// BaseType returns the type that decides how the column is stored: the base type
// of a domain, otherwise its own.
func BaseType(c *heap.Column) uint32 {
	if c.Base != 0 {
		return c.Base
	}
	return c.TypeOID
}
