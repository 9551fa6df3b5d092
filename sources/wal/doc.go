// Package wal reads PostgreSQL's write-ahead log, versions 13 to 18, from segments that a Source hands it, and traces what became of a
// row: Trace finds every version of a key and follows it to its end. It opens no connection; Dir is the Source for a folder.
//
// Every byte is untrusted: damage ends a run of records and is reported as a Gap, it never panics and never grows memory beyond the
// length of the WAL that is really there.
package wal
