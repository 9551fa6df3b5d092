package catalog

// Elsewhere is where an id was found, and where could not be looked.
type Elsewhere struct {
	Hits []PlaceHit `json:"hits,omitempty"`
	// Looked are the places that were read.
	Looked  []Place        `json:"looked,omitempty"`
	Skipped []SkippedPlace `json:"skipped,omitempty"`
}

// PlaceHit is a row that holds the id in a place.
type PlaceHit struct {
	Place
	Relation string `json:"relation"` // the partition that holds it, when it is one
	TID      string `json:"ctid"`
	Xmin     string `json:"xmin"`
	// Within marks a hit inside an array or a document: the column holds more than the id.
	Within bool `json:"within,omitempty"`
}

// SkippedPlace is a place that was not read, and why.
type SkippedPlace struct {
	Place
	Why      string `json:"why"`
	Opens    string `json:"opens,omitempty"`
	Filtered bool   `json:"filtered,omitempty"` // it was read, under row-level security
}

// NearHit is a row whose key is almost the id.
type NearHit struct {
	Table      string `json:"table"`
	Column     string `json:"column"`
	Key        string `json:"key"`
	Difference string `json:"difference"`
	TID        string `json:"ctid"`
}

// DatabaseSearch is what one database of a cluster holds of an id.
type DatabaseSearch struct {
	Database string `json:"database"`
	Own      bool   `json:"own,omitempty"` // the one that the source is connected to
	Elsewhere
	Near []NearHit `json:"near,omitempty"`
	// Left counts places that were too many to look in.
	Left int `json:"left,omitempty"`
	// Why says why the database was not looked into, or not to the end; Opens what would.
	Why   string `json:"why,omitempty"`
	Opens string `json:"opens,omitempty"`
}
