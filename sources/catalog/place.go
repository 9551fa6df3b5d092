package catalog

// Place is a column that can hold the id by its type.
type Place struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Table  string `json:"table"`
	Kind   string `json:"kind"` // pg_class.relkind
	Column string `json:"column"`
	AttNum int16  `json:"attnum"`
	Type   string `json:"type"` // as format_type prints it
	Base   string `json:"base"` // pg_type.typname below any domain
	// Rank orders places from likely to unlikely: 0 the primary key, 1 a unique key,
	// 2 first column of the primary key, 3 first column of another index, 4 named
	// like an id, 5 any other.
	Rank      int    `json:"rank"`
	Bytes     int64  `json:"bytes"`
	CanSelect bool   `json:"can_select"`
	History   string `json:"history,omitempty"`
	// TypeSchema is the schema of the base type.
	TypeSchema string `json:"type_schema,omitempty"`
}

// Indexed reports that the place can be searched by an index.
func (p Place) Indexed() bool { return p.Rank <= 3 }

// FullName is the table's name as SQL needs it.
func (p Place) FullName() string { return QuoteIdent(p.Schema) + "." + QuoteIdent(p.Table) }

// Places are the columns that can hold an id.
type Places struct {
	List []Place `json:"list"` // likely ones first
	// Left counts places beyond the list.
	Left int `json:"left,omitempty"`
}
