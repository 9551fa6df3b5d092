package postgres

import "inquest/sources/catalog"

// Names of package catalog, which describes what the catalogue and the pages say
// so that stored evidence is read without this driver.
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
