package heap

// Column describes one column of a table as pg_attribute and pg_type do. Only TypeOID, Len and Align steer decoding; for a domain
// or an enum set Base or Labels.
type Column struct {
	Name     string            `json:"name"`
	AttNum   int16             `json:"attnum"`   // pg_attribute.attnum, from 1
	TypeOID  uint32            `json:"type_oid"` // pg_attribute.atttypid
	TypeName string            `json:"type_name,omitempty"`
	Base     uint32            `json:"base,omitempty"`    // pg_type.typbasetype, for domains
	Len      int16             `json:"len"`               // pg_attribute.attlen: bytes, -1 varlena, -2 cstring
	Align    byte              `json:"align"`             // pg_attribute.attalign: c, s, i or d
	ByVal    bool              `json:"by_val,omitempty"`  // pg_attribute.attbyval
	Dropped  bool              `json:"dropped,omitempty"` // pg_attribute.attisdropped: the slot stays in every row version
	NotNull  bool              `json:"not_null,omitempty"`
	Missing  *string           `json:"missing,omitempty"` // first element of attmissingval as text; nil when there is none
	Labels   map[uint32]string `json:"labels,omitempty"`  // pg_enum: oid to label, for an enum or an array of one
}

// typeOID returns the type that decides the layout of the value: the base type of a domain, otherwise the type itself.
func (c Column) typeOID() uint32 {
	if c.Base != 0 {
		return c.Base
	}
	return c.TypeOID
}

// Value is one column of one row version.
type Value struct {
	Null     bool      // SQL NULL
	Missing  bool      // not stored: the default that ADD COLUMN recorded, or NULL
	Unknown  bool      // stored, but not readable from the bytes at hand
	Opaque   bool      // the type has no decoder here: Text is \x and hex digits
	Text     string    // as PostgreSQL prints it with TimeZone UTC and DateStyle ISO
	Raw      []byte    // the value's bytes without varlena header, decompressed; nil when Null, Missing or Unknown
	External *External // set when the value lies in the TOAST table
}

// External says where an out-of-line value lies (varatt.h, varatt_external).
type External struct {
	RelID   uint32 `json:"rel_id"`   // pg_class.oid of the TOAST table
	ValueID uint32 `json:"value_id"` // chunk_id
	RawSize uint32 `json:"raw_size"` // length without header once decompressed
	Size    uint32 `json:"size"`     // length as stored over all chunks
	Method  string `json:"method"`   // "", "pglz" or "lz4"
}

// FetchFunc returns the chunks of an out-of-line value, concatenated in chunk_seq order. It may return an error when they are gone;
// the value is then Unknown.
type FetchFunc func(External) ([]byte, error)
