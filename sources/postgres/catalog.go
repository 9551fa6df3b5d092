package postgres

import "inquest/sources/catalog"

// What the catalogue and the pages say is described by package catalog, so that
// stored evidence is read without this driver.
type (
	// Key is catalog's type.
	Key = catalog.Key
	// KeyPart is catalog's type.
	KeyPart = catalog.KeyPart
	// TableInfo is catalog's type.
	TableInfo = catalog.Table
	// Match is catalog's type.
	Match = catalog.Match
	// Index is catalog's type.
	Index = catalog.Index
	// Place is catalog's type.
	Place = catalog.Place
	// Places is catalog's type.
	Places = catalog.Places
	// RowVersion is catalog's type.
	RowVersion = catalog.RowVersion
	// IndexEntry is catalog's type.
	IndexEntry = catalog.IndexEntry
	// PageSearch is catalog's type.
	PageSearch = catalog.PageSearch
)
