// Package logformat reads log records: which format a file is in, where its
// records begin, and what one says (time, level, request, operation, fields).
//
// A format is data with sample lines, and the samples are its tests. Adding one
// is a new file and one line in list.go. The package does no I/O.
package logformat
