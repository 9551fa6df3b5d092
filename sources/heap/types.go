package heap

// Type oids of catalog/pg_type.dat that have a decoder here.
const (
	oidBool, oidBytea, oidChar, oidName, oidInt8, oidInt2, oidInt4    = 16, 17, 18, 19, 20, 21, 23
	oidText, oidOid, oidTid, oidXid, oidCid, oidJSON, oidXML          = 25, 26, 27, 28, 29, 114, 142
	oidPoint, oidLseg, oidBox, oidFloat4, oidFloat8, oidMoney         = 600, 601, 603, 700, 701, 790
	oidMacaddr, oidInet, oidCidr, oidMacaddr8                         = 829, 869, 650, 774
	oidBpchar, oidVarchar, oidDate, oidTime, oidTimestamp             = 1042, 1043, 1082, 1083, 1114
	oidTimestamptz, oidInterval, oidTimetz, oidBit, oidVarbit         = 1184, 1186, 1266, 1560, 1562
	oidNumeric, oidUUID, oidLSN, oidJSONB, oidXid8, oidRegclass       = 1700, 2950, 3220, 3802, 5069, 2205
	oidInt4range, oidNumrange, oidTsrange, oidTstzrange, oidDaterange = 3904, 3906, 3908, 3910, 3912
	oidInt8range                                                      = 3926
)

// layout is how a type is stored: pg_type.typlen and typalign.
type layout struct {
	len   int16
	align byte
}

var layouts = map[uint32]layout{
	oidBool: {1, 'c'}, oidBytea: {-1, 'i'}, oidChar: {1, 'c'}, oidName: {64, 'c'}, oidInt8: {8, 'd'}, oidInt2: {2, 's'},
	oidInt4: {4, 'i'}, oidText: {-1, 'i'}, oidOid: {4, 'i'}, oidTid: {6, 's'}, oidXid: {4, 'i'}, oidCid: {4, 'i'},
	oidJSON: {-1, 'i'}, oidXML: {-1, 'i'}, oidPoint: {16, 'd'}, oidLseg: {32, 'd'}, oidBox: {32, 'd'}, oidFloat4: {4, 'i'},
	oidFloat8: {8, 'd'}, oidMoney: {8, 'd'}, oidMacaddr: {6, 'i'}, oidMacaddr8: {8, 'i'}, oidInet: {-1, 'i'}, oidCidr: {-1, 'i'},
	oidBpchar: {-1, 'i'}, oidVarchar: {-1, 'i'}, oidDate: {4, 'i'}, oidTime: {8, 'd'}, oidTimestamp: {8, 'd'},
	oidTimestamptz: {8, 'd'}, oidInterval: {16, 'd'}, oidTimetz: {12, 'd'}, oidBit: {-1, 'i'}, oidVarbit: {-1, 'i'},
	oidNumeric: {-1, 'i'}, oidUUID: {16, 'c'}, oidLSN: {8, 'd'}, oidJSONB: {-1, 'i'}, oidXid8: {8, 'd'}, oidRegclass: {4, 'i'},
	oidInt4range: {-1, 'i'}, oidNumrange: {-1, 'i'}, oidTsrange: {-1, 'd'}, oidTstzrange: {-1, 'd'}, oidDaterange: {-1, 'i'},
	oidInt8range: {-1, 'd'},
}

// arrayTypes are the oids of built-in array types; the element type stands in the value itself.
var arrayTypes = map[uint32]bool{
	143: true, 199: true, 651: true, 719: true, 1000: true, 1001: true, 1002: true, 1003: true, 1005: true, 1007: true,
	1009: true, 1010: true, 1011: true, 1014: true, 1015: true, 1016: true, 1017: true, 1020: true, 1021: true, 1022: true, 1028: true,
	1040: true, 1041: true, 1115: true, 1182: true, 1183: true, 1185: true, 1187: true, 1231: true, 1270: true, 1561: true,
	1563: true, 2951: true, 3221: true, 3807: true, 271: true, 3905: true, 3907: true, 3909: true, 3911: true, 3913: true, 3927: true,
	791: true, 775: true, 2210: true, 1018: true, 1012: true,
}

var rangeElements = map[uint32]uint32{
	oidInt4range: oidInt4, oidNumrange: oidNumeric, oidTsrange: oidTimestamp, oidTstzrange: oidTimestamptz, oidDaterange: oidDate,
	oidInt8range: oidInt8,
}

// NewColumn returns a column of a built-in type with its length and alignment filled in, and false when the type is not one of
// those that this package decodes. It serves tests and tables whose pg_attribute cannot be read.
func NewColumn(name string, attnum int16, typeOID uint32) (Column, bool) {
	l, ok := layouts[typeOID]
	if !ok && arrayTypes[typeOID] {
		l, ok = layout{-1, 'd'}, true
	}
	return Column{Name: name, AttNum: attnum, TypeOID: typeOID, Len: l.len, Align: l.align}, ok
}
