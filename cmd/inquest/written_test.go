package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteWholeLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.md")
	for _, body := range []string{"first, and longer", "second"} {
		if err := writeWhole(path, []byte(body)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || string(got) != body || info.Mode().Perm() != 0o600 {
			t.Errorf("%q %v %v", got, info.Mode(), err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if writeWhole(filepath.Join(dir, "folder"), nil) == nil || writeWhole(filepath.Join(dir, "nowhere", "r.md"), nil) == nil {
		t.Error("wrote where nothing can be written")
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("%v", list)
	}
}
