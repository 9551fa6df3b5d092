// Package probes holds the automated questions of the checklist, one a file,
// and the list of them.
//
// A probe's Collect asks sources and keeps what they answer; its Read is a pure
// function that turns that into facts and one of four outcomes. Only a probe
// that looked where it would have shown may answer absent.
package probes
