// Package logstore is what drivers of log stores share. A store searches by
// itself and only hits travel: the library asks it over HTTP with bounded
// patience, reads the lines it sends with logformat, and turns its counts over time
// into coverage.
package logstore
