package early_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/early"
)

var _ tea.Msg // Bubble Tea must be part of this program

// TestComesBeforeBubbleTea reads the order in which packages were loaded.
func TestComesBeforeBubbleTea(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours := strings.Index(string(out), "init inquest/ui/early ")
	theirs := strings.Index(string(out), "init github.com/charmbracelet/bubbletea ")
	if ours < 0 || theirs < 0 || ours > theirs {
		t.Fatalf("early at %d, Bubble Tea at %d:\n%s", ours, theirs, out)
	}
}

func TestRestoreLeavesNothingBehind(t *testing.T) {
	before, set := os.LookupEnv("CI")
	if took := early.Restore(); took && os.Getenv("CI") != "" {
		t.Fatal("CI is still set")
	} else if !took && set && os.Getenv("CI") != before {
		t.Fatal("a CI that was there was changed")
	}
	if early.Restore() {
		t.Fatal("restored twice")
	}
}
