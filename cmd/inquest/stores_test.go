package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveFiles stands in for a store: serve VARIABLE FOLDER answers with the file of FOLDER that is named as the last part
// of the path, with -count behind it for a query that counts and -hits for one that searches. What was sent is written to
// FOLDER/requests: the path, and the headers that say who asks.
func serveFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve VARIABLE FOLDER")
	}
	folder := ts.MkAbs(args[1])
	log, err := os.Create(path.Join(folder, "requests"))
	ts.Check(err)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(log, "%s %s tenant=%q authorization=%q agent=%q\n", r.Method, r.URL.Path, r.Header.Get("X-Scope-OrgID"), r.Header.Get("Authorization"), r.UserAgent())
		name := path.Base(r.URL.Path)
		switch query := r.FormValue("query"); {
		case strings.Contains(query, "count_over_time"):
			name += "-count"
		case strings.Contains(query, "|~"):
			name += "-hits"
		}
		b, err := os.ReadFile(path.Join(folder, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	}))
	ts.Defer(func() {
		s.Close()
		log.Close()
	})
	ts.Setenv(args[0], strings.TrimPrefix(s.URL, "http://"))
}
