package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/ui/backend"
)

// TestPlacesAreReadAsFlags checks that a line of the New form means what the
// flag of its name means.
func TestPlacesAreReadAsFlags(t *testing.T) {
	d := &desk{p: &program{now: time.Now, getenv: func(string) string { return "" }}}
	n := backend.NewCase{Record: "48213", Databases: []string{"service=prod"}, Places: []string{
		"ssh gw1:/var/log/nginx", "ssh gw2:/var/log/nginx", "kubectl -n prod deploy/api", "docker api", "journal", "command gateway=aws logs tail /g --since {from}",
	}}
	r, err := d.request(n)
	if err != nil {
		t.Fatal(err)
	}
	want := outputs{
		ssh: []string{"gw1:/var/log/nginx", "gw2:/var/log/nginx"}, kubectl: []string{"-n prod deploy/api"}, docker: []string{"api"},
		journals: []string{wholeJournal}, commands: []string{"gateway=aws logs tail /g --since {from}"},
	}
	if diff := cmp.Diff(want, r.outputs, cmp.AllowUnexported(outputs{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(n.Databases, r.Databases); diff != "" {
		t.Error(diff)
	}
	for place, say := range map[string]string{
		"ssh": "ssh needs its HOST:PATH", "gw1:/var/log": "none of the places", "db service=prod": "none of the places", "command no-name": "NAME=CMD",
	} {
		if _, err := d.request(backend.NewCase{Record: "48213", Places: []string{place}}); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v", place, err)
		}
	}
	if _, err := d.request(backend.NewCase{Record: "48213", Logs: []string{"-"}}); err == nil {
		t.Error("standard input was taken while the keys come from it")
	}
}

// TestPlacesAreDescribed checks that every kind of place says what follows it
// and what it is.
func TestPlacesAreDescribed(t *testing.T) {
	list := places()
	if len(list) < 5 {
		t.Errorf("only %d kinds of places", len(list))
	}
	for _, p := range list {
		if p.Value == "" || p.Means == "" || strings.Contains(p.Means, "`") {
			t.Errorf("%+v", p)
		}
	}
}

// TestTildeIsTheHomeFolder checks that paths mean on the screens what they mean
// in a shell.
func TestTildeIsTheHomeFolder(t *testing.T) {
	d := &desk{p: &program{now: time.Now, getenv: func(name string) string { return map[string]string{"HOME": "/home/oncall"}[name] }}}
	r, err := d.request(backend.NewCase{Record: "48213", Logs: []string{"~/logs/*.log", "/var/log/~/x", "~other/x"}, WAL: []string{"~/wal"}, Repo: "~/shop"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/home/oncall/logs/*.log", "/var/log/~/x", "~other/x"}, r.Logs); diff != "" {
		t.Error(diff)
	}
	if r.WAL[0] != "/home/oncall/wal" || r.Repo != "/home/oncall/shop" {
		t.Errorf("%q, %q", r.WAL, r.Repo)
	}
}
