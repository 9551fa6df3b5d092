// Package scan finds byte strings in large files fast: a searcher for one or
// many needles, and a walk over a file in chunks by a few goroutines. It knows
// nothing of lines or logs.
package scan
