// Package report writes what is known about a case as a document for people:
// Markdown, and HTML made from it. Both are pure functions of a State and its
// Assessment, so the same case always gives the same bytes.
//
// Everything that comes from a record, a log, a database or a person is treated
// as hostile: it is escaped so that it can neither break the Markdown nor bring
// links, HTML, terminal sequences or reordered text into it.
package report
