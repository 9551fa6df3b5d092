// Package httpapi is the source for an HTTP API that can be asked for the
// record: one GET of a URL made from a template. It never sends another method,
// never follows a redirect to another host, and reads at most 64 KiB of a body.
package httpapi
