// Package catalog describes tables as PostgreSQL's catalogue does, and what
// their pages hold of a key: pure data that is read from a live server, stored as
// evidence, and read again without one. It sends nothing and knows no driver.
package catalog
