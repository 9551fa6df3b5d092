package main

import (
	"testing"
	"time"

	"inquest/investigations"
)

func TestSplitName(t *testing.T) {
	for arg, want := range map[string][2]string{
		"postgres://u:p@h/db?application_name=x": {"", "postgres://u:p@h/db?application_name=x"},
		"prod=postgres://u:p@h/db":               {"prod", "postgres://u:p@h/db"},
		"prod=postgresql:///db":                  {"prod", "postgresql:///db"},
		"host=h dbname=d":                        {"", "host=h dbname=d"},
		"host=h":                                 {"", "host=h"},
		"prod=host=h dbname=d":                   {"prod", "host=h dbname=d"},
		"prod=service=main":                      {"prod", "service=main"},
		"service=main":                           {"", "service=main"},
		"prod=dbname = d":                        {"prod", "dbname = d"},
		"password=host=x":                        {"password", "host=x"},
		"prod=nonsense=1":                        {"", "prod=nonsense=1"},
		"dbname":                                 {"", "dbname"},
		"":                                       {"", ""},
	} {
		name, dsn := splitName(arg)
		if name != want[0] || dsn != want[1] {
			t.Errorf("splitName(%q) = %q, %q, want %q, %q", arg, name, dsn, want[0], want[1])
		}
	}
}

func TestDatabaseNamesHoldNoSecret(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:hunter2@db1:5432/app": "app@db1",
		"postgres://u:hunter2@[::1]/app":    "app@::1",
		"host=db1 password=hunter2":         "primary",
		"postgres:///app":                   "primary",
	} {
		if got := databaseName(dsn, 0); got != want {
			t.Errorf("databaseName(%q) = %q, want %q", dsn, got, want)
		}
	}
	if got := databaseName("service=b", 1); got != "db2" {
		t.Errorf("the second database without a name is %q", got)
	}
}

func TestWindows(t *testing.T) {
	now := time.Date(2025, 12, 4, 9, 0, 0, 0, time.UTC)
	at := time.Date(2025, 11, 27, 14, 58, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		f        caseFlags
		from, to time.Time
	}{
		"none":  {caseFlags{}, time.Time{}, time.Time{}},
		"at":    {caseFlags{at: "2025-11-27T14:58:00Z", around: "30m"}, at.Add(-30 * time.Minute), at.Add(30 * time.Minute)},
		"since": {caseFlags{since: "2025-11-27T14:58:00Z"}, at, now},
		"from":  {caseFlags{from: "2025-11-27T14:58:00Z"}, at, time.Time{}},
		"to":    {caseFlags{to: "2025-11-27T14:58:00+00:00"}, time.Time{}, at},
		"both":  {caseFlags{from: "2025-11-27T13:58:00-01:00", to: "2025-11-27T15:58:00Z"}, at, at.Add(time.Hour)},
	} {
		c.f.budget = string(investigations.BudgetNormal)
		r, err := c.f.request(&program{now: func() time.Time { return now }}, "42")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !r.Window.From.Equal(c.from) || !r.Window.To.Equal(c.to) {
			t.Errorf("%s: window %v to %v, want %v to %v", name, r.Window.From, r.Window.To, c.from, c.to)
		}
	}
}
