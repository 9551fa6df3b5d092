//go:build !race

package wal

// Raced says that the race detector is on.
const Raced = false
