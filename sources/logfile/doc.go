// Package logfile is the driver for log files: it finds the files of a path,
// glob or folder, joins the rotations of one stream into one Source, and
// searches them, plain or compressed, in memory that does not grow with their
// size. What it could not read it says in the coverage.
package logfile
