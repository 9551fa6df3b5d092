// Package heap decodes PostgreSQL heap pages, row versions, column values and btree index pages from raw bytes, for
// versions 13 to 18 on little-endian machines. It opens nothing and connects to nothing: callers hand it bytes.
//
// Every function takes bytes it does not trust: damaged input yields an error or a flag, never a panic, and memory use is
// bounded by the size that the input claims for itself, at most MaxDatum.
package heap
