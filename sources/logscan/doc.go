// Package logscan searches files of log records: formats found by themselves,
// records of several lines kept whole, compressed files unpacked on the way, windows sought in
// files that are in the order of time, and a coverage that says what was really read. Memory does
// not grow with the files. Drivers for logs share it; it opens files and nothing else.
package logscan
