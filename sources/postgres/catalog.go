package postgres

import "inquest/sources/catalog"

// Key and the other names are those of package catalog, which describes what the
// catalogue and the pages say, so that stored evidence is read without a driver.
type (
	Key        = catalog.Key
	KeyPart    = catalog.KeyPart
	TableInfo  = catalog.Table
	Match      = catalog.Match
	Index      = catalog.Index
	Place      = catalog.Place
	Places     = catalog.Places
	RowVersion = catalog.RowVersion
	IndexEntry = catalog.IndexEntry
	PageSearch = catalog.PageSearch
)
