// Package logstoretest holds what the tests of stores that search logs by themselves
// share.
package logstoretest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"inquest/sources"
)

// Opened returns what was opened. It is closed with the test, twice: a second
// Close must not fail.
func Opened[S io.Closer](t testing.TB, s S, err error) S {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Search returns the answer to a query that must not fail.
func Search(t testing.TB, s sources.LogSearcher, q sources.LogQuery) *sources.LogResult {
	t.Helper()
	r, err := s.SearchLogs(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Blind checks that a query cannot be answered, with a reason that holds want.
func Blind(t testing.TB, s sources.LogSearcher, q sources.LogQuery, want string) {
	t.Helper()
	r, err := s.SearchLogs(t.Context(), q)
	var b *sources.Blind
	if !errors.As(err, &b) || !strings.Contains(b.Error(), want) {
		t.Fatalf("%v, want a blind with %q; result %+v", err, want, r)
	}
}
