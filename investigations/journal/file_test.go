package journal_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"inquest/investigations"
	"inquest/investigations/journal"
)

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestCreateAppendOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "a.inquest")
	j, err := journal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []investigations.Entry
	for _, e := range []investigations.Entry{opened(t, "42"), note(t, "<script> & \u2028"), collected(t, 5<<20)} {
		kept, err := j.Append(e)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, kept)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	modes(t, path)
	j, got, n, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if !reflect.DeepEqual(want, got) || n != (journal.Note{}) {
		t.Fatalf("note %v, entries differ", n)
	}
	appendAll(t, j, note(t, "after"))
	if r, err := journal.Verify(path); err != nil || r.Result != journal.Intact || r.Entries != 4 || r.Evidence != 1 {
		t.Fatalf("%+v %v", r, err)
	}
}

func modes(t *testing.T, path string) {
	t.Helper()
	for p, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %o", p, info.Mode(), err, want)
		}
	}
}

// TestHashByHand recomputes a hash the way doc.go describes it.
func TestHashByHand(t *testing.T) {
	line, _, _ := bytes.Cut(small(t, 0), []byte("\n"))
	head, rest, ok := bytes.Cut(line, []byte(`,"hash":"`))
	if !ok || sha(string(head)+"}")+`"}` != string(rest) {
		t.Fatalf("%s", line)
	}
}

func TestMemoryAndFileAgree(t *testing.T) {
	b := small(t, 3)
	m, _, err := journal.Load(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.inquest")
	j, err := journal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	appendAll(t, j, m.Entries()...)
	if got, _ := os.ReadFile(path); !bytes.Equal(got, b) {
		t.Fatalf("file %s\nmemory %s", got, b)
	}
}

func TestCreateRefusesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	link, dangling := filepath.Join(dir, "link.inquest"), filepath.Join(dir, "dangling.inquest")
	for from, to := range map[string]string{link: target, dangling: filepath.Join(dir, "nowhere")} {
		if err := os.Symlink(to, from); err != nil {
			t.Skip(err)
		}
	}
	if err := os.WriteFile(target, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{target, link, dangling} {
		if _, err := journal.Create(path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create %s: %v", path, err)
		}
	}
	if b, _ := os.ReadFile(target); string(b) != "mine" {
		t.Errorf("target was changed: %s", b)
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dangling link was followed")
	}
}

func TestOpenRefusesSymlinkForWriting(t *testing.T) {
	path := write(t, small(t, 1))
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if _, _, _, err := journal.Open(link); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Fatal(err)
	}
	r, entries, _, err := journal.OpenReadOnly(link)
	if err != nil || len(entries) != 2 {
		t.Fatal(err)
	}
	r.Close()
}

func TestOpenTightensMode(t *testing.T) {
	path := write(t, small(t, 1))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	j, _, n, err := journal.Open(path)
	if err != nil || !n.Exposed || n.String() == "" {
		t.Fatal(n, err)
	}
	defer j.Close()
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode())
	}
}

// TestKilledAtAnyInstant cuts the file at every byte of its last two lines.
func TestKilledAtAnyInstant(t *testing.T) {
	b := small(t, 4)
	starts := lineStarts(b)
	for size := starts[len(starts)-2]; size <= len(b); size++ {
		whole := bytes.Count(b[:size], []byte("\n"))
		for _, zeros := range []int{0, 100} {
			cut := append(bytes.Clone(b[:size]), make([]byte, zeros)...)
			opensWith(t, cut, whole, bytes.LastIndexByte(b[:size], '\n')+1)
		}
	}
}

func opensWith(t *testing.T, b []byte, entries, good int) {
	t.Helper()
	path := write(t, b)
	r, got, n, err := journal.OpenReadOnly(path)
	if err != nil || len(got) != entries || n.Torn != int64(len(b)-good) {
		t.Fatalf("read-only at %d: %d entries, %+v, %v", len(b), len(got), n, err)
	}
	r.Close()
	if info, _ := os.Stat(path); info.Size() != int64(len(b)) {
		t.Fatal("opening read-only changed the file")
	}
	if rep, err := journal.Verify(path); err != nil || rep.Result != journal.Intact || rep.Entries != entries {
		t.Fatalf("at %d: %v %v", len(b), rep, err)
	}
	j, got, n, err := journal.Open(path)
	if err != nil || len(got) != entries || n.Torn != int64(len(b)-good) {
		t.Fatalf("at %d: %d entries, %+v, %v", len(b), len(got), n, err)
	}
	defer j.Close()
	appendAll(t, j, note(t, "goes on"))
	if rep, err := journal.Verify(path); err != nil || rep.Result != journal.Intact || rep.Entries != entries+1 {
		t.Fatalf("at %d: %v %v", len(b), rep, err)
	}
}

func TestKilledBeforeTheFirstEntry(t *testing.T) {
	b := small(t, 0)
	for size := range b {
		_, _, _, err := journal.Open(write(t, b[:size]))
		if !errors.Is(err, journal.ErrEmpty) {
			t.Fatalf("at %d: %v", size, err)
		}
	}
}

func TestBrokenMiddleIsNamedAndKept(t *testing.T) {
	b := small(t, 4)
	starts := lineStarts(b)
	b[starts[2]+20] ^= 1
	path := write(t, b)
	_, before, _, err := journal.Open(path)
	var broken *journal.BrokenError
	if !errors.As(err, &broken) || broken.Seq != 3 || broken.Line != 3 || len(before) != 2 || !strings.Contains(err.Error(), "line 3 (entry 3)") {
		t.Fatalf("%d entries, %v", len(before), err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, b) {
		t.Fatal("a broken case was changed")
	}
}

func TestRefusesForeignFiles(t *testing.T) {
	newer := bytes.Replace(small(t, 0), []byte("inquest.case/1"), []byte("inquest.case/9"), 1)
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"empty": {"", journal.ErrEmpty}, "text": {"hello\nworld\n", journal.ErrNotCase}, "one line": {"hello", journal.ErrNotCase},
		"json": {"{\"a\":1}\n", journal.ErrNotCase}, "newer": {string(reseal(newer)), journal.ErrNewer},
		"no opening": {string(reseal([]byte(`{"seq":1,"time":"2025-11-27T14:58:12Z","kind":"noted","body":{},"prev":"","hash":"` + sha("") + "\"}\n"))), journal.ErrNotCase},
	} {
		path := write(t, []byte(c.body))
		if _, _, _, err := journal.Open(path); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if r, err := journal.Verify(path); err == nil || r.Result != journal.Unreadable {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	if _, err := journal.Verify(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// reseal gives the first line of a case the right hash again.
func reseal(b []byte) []byte {
	head, _, _ := bytes.Cut(b, []byte(`,"hash":"`))
	return []byte(string(head) + `,"hash":"` + sha(string(head)+"}") + "\"}\n")
}

func TestTwoProcesses(t *testing.T) {
	path := write(t, small(t, 1))
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "INQUEST_TEST_HOLD="+path)
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatal(line)
	}
	if _, _, _, err := journal.Open(path); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("beside another process: %v", err)
	}
	if !journal.Summarize(path).Locked {
		t.Error("not listed as locked")
	}
	r, entries, _, err := journal.OpenReadOnly(path)
	if err != nil || len(entries) != 2 {
		t.Error(err)
	} else if _, err := r.Append(entries[0]); !errors.Is(err, journal.ErrReadOnly) {
		t.Error(err)
	} else {
		r.Close()
	}
	in.Close()
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	j, _, _, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
}

func TestAppendFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.inquest")
	j, err := journal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, j, opened(t, "42"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := j.Append(note(t, "x")); err != nil {
					t.Error(err)
				}
				journal.Summarize(path)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(note(t, "x")); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
	if r, err := journal.Verify(path); err != nil || r.Entries != 41 || r.Result != journal.Intact {
		t.Fatal(r, err)
	}
}

func TestRefusesToWriteIntoAnotherFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.inquest")
	j, err := journal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	appendAll(t, j, opened(t, "42"))
	b, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append(b, "hand-made\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(note(t, "x")); err == nil || !strings.Contains(err.Error(), "another program changed") {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(note(t, "x")); err == nil || !strings.Contains(err.Error(), "moved, replaced or removed") {
		t.Error(err)
	}
}
