// Package postgres is the driver for a live PostgreSQL server, 13 to 18.
//
// Every piece of work is one read-only, time-boxed transaction on the one
// connection of a Server; nothing outlives it, so a transaction-mode pooler in
// between does no harm. What could not be looked at is a *sources.Blind error
// with the GRANT or setting that would open it. Raw pages and WAL are read as
// bytes and decoded here, because an ordinary SELECT prunes dead row versions;
// only the methods of rows.go and near.go read rows by SELECT.
package postgres
