package postgres

import "inquest/sources/catalog"

// What the catalogue and the pages say is described by package catalog, so that
// stored evidence is read without this driver.
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
