package scratch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"inquest/sources/scratch"
)

func TestFolderIsPrivateAndGoesWithClose(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, err := scratch.New()
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(f.Path())
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", st, err)
	}
	if err := os.WriteFile(f.File("x"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if room, ok := f.Room(); ok && room < 0 {
		t.Errorf("room %d", room)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(f.Path()); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestSweepTakesOnlyWhatTheDeadLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	own, err := scratch.New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	keep := []string{filepath.Base(own.Path()), "inquest-scratch-" + strconv.Itoa(os.Getppid()) + "-1", "inquest-scratch-x-1", "other"}
	for _, name := range append(keep[1:], "inquest-scratch-"+strconv.Itoa(cmd.Process.Pid)+"-7") {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	scratch.Sweep()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != len(keep) {
		t.Errorf("left %v, want %v", left, keep)
	}
}
