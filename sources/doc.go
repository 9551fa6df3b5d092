// Package sources says what a place that evidence comes from looks like: a
// Source and its optional abilities, the Event it reports, the Coverage it can
// vouch for, and the redaction that every stored byte passes through.
//
// It knows only the standard library. Drivers live in sub-packages, import this
// package and their client library, and never each other.
package sources
