package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the command line available to scripts as the program inquest.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"inquest": main})
}
