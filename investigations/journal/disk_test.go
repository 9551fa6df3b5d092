package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"inquest/investigations"
)

// fullDisk writes half of what it is given and fails, or fails to sync.
type fullDisk struct {
	disk
	noWrite, noSync, noCut bool
}

func (d *fullDisk) WriteAt(b []byte, off int64) (int, error) {
	if d.noWrite {
		n, _ := d.disk.WriteAt(b[:len(b)/2], off)
		return n, syscall.ENOSPC
	}
	return d.disk.WriteAt(b, off)
}

func (d *fullDisk) Sync() error {
	if d.noSync {
		d.noSync = false
		return syscall.EIO
	}
	return d.disk.Sync()
}

func (d *fullDisk) Truncate(n int64) error {
	if d.noCut {
		return syscall.EIO
	}
	return d.disk.Truncate(n)
}

func TestFullDisk(t *testing.T) {
	for name, fault := range map[string]fullDisk{
		"write": {noWrite: true}, "sync": {noSync: true}, "write and cut": {noWrite: true, noCut: true},
	} {
		t.Run(name, func(t *testing.T) { fullDiskCase(t, fault) })
	}
}

func fullDiskCase(t *testing.T, fault fullDisk) {
	path := filepath.Join(t.TempDir(), "a.inquest")
	j, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	first, _ := investigations.NewEntry(time.Unix(0, 0), investigations.EntryOpened, investigations.Opened{Schema: investigations.CaseSchema})
	if _, err := j.Append(first); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	whole := j.disk
	fault.disk = whole
	j.disk = &fault
	second, _ := investigations.NewEntry(time.Unix(1, 0), investigations.EntryNoted, investigations.Noted{Text: "lost"})
	if _, err := j.Append(second); !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); !fault.noCut && !bytes.Equal(before, after) {
		t.Fatalf("the file was not cut back: %s", after)
	}
	j.disk = whole
	kept, err := j.Append(second)
	if err != nil || kept.Seq != 2 {
		t.Fatal(kept.Seq, err)
	}
	if r, err := Verify(path); err != nil || r.Result != Intact || r.Entries != 2 {
		t.Fatal(r, err)
	}
}
