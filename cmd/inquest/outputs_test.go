package main

import (
	"strings"
	"testing"
)

func TestTheJournalsUnitMayBeAWordOfItsOwn(t *testing.T) {
	for in, want := range map[string]string{
		"run 42 --journal": "run 42 --journal",
		"run --journal 42": "run --journal 42",
		"run --journal postgresql@15-main.service 42": "run --journal=postgresql@15-main.service 42",
		"run --journal dir:/x 42 --journal":           "run --journal=dir:/x 42 --journal",
		"run -- --journal a.service":                  "run -- --journal a.service",
		"run --journal --db x":                        "run --journal --db x",
	} {
		if got := strings.Join(joinJournal(strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
