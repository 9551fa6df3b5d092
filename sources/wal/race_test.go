//go:build race

package wal

// Raced says that the race detector is on, under which everything takes ten times as long: what is repeated with other numbers is done less
// often then.
const Raced = true
