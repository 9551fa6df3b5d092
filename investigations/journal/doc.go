// Package journal keeps the case file: JSON Lines, one entry a line, appended
// and never rewritten.
//
// A line is the compact JSON object
//
//	{"seq":N,"time":"RFC 3339, UTC","kind":"…","body":…,"prev":"…","hash":"…"}
//
// with its fields in exactly this order, and a line feed after it. N counts
// from 1 and equals the line's number. prev is the hash of the line before,
// empty on the first. hash is the lower-case hex SHA-256 of the line's own bytes
// up to, but not including, `,"hash":`, followed by one `}`: that is of the
// object without its hash. Every byte of a line is therefore under its hash, and
// every line under the next one's prev. The chain shows any change to an entry;
// it cannot show that entries were cut off at the end, unless the head that
// Verify reports was noted elsewhere.
//
// A last line without a line feed is one that was being written when the
// process died: it is cut, and nothing that Append had returned is lost.
package journal
