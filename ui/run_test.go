package ui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/ui"
	"inquest/ui/backend"
	"inquest/ui/uitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is where frames go; it can be read while they are written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }

func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

// runs starts the program over pipes and returns its output, its keyboard and
// what it ends with.
func runs(ctx context.Context, t *testing.T, b ui.Backend, start string) (*output, io.Writer, <-chan error) {
	t.Helper()
	in, keys := io.Pipe()
	t.Cleanup(func() { _ = keys.Close() })
	out, done := &output{}, make(chan error, 1)
	go func() { done <- ui.Run(ctx, ui.Options{Backend: b, In: in, Out: out, Start: start}) }()
	for range 500 {
		if strings.Contains(out.String(), "\x1b[?1049h") {
			return out, keys, done
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal("the program did not start")
	return nil, nil, nil
}

func ends(t *testing.T, out *output, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		if !strings.HasSuffix(out.String(), "\x1b[?25h") && !strings.Contains(out.String(), "\x1b[?1049l") {
			t.Errorf("the terminal was not given back: %q", out.String())
		}
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the program did not end")
		return nil
	}
}

func TestRunQuits(t *testing.T) {
	out, keys, done := runs(context.Background(), t, uitest.NewFake(), "")
	_, _ = keys.Write([]byte("q"))
	if err := ends(t, out, done); err != nil {
		t.Fatal(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out, _, done := runs(ctx, t, uitest.NewFake(), "")
	cancel()
	if err := ends(t, out, done); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestRunEndsInOrderOnSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		f := &counting{Fake: uitest.NewFake(), opened: make(chan struct{})}
		out, _, done := runs(context.Background(), t, f, "/cases/e7a4.inquest")
		<-f.opened
		time.Sleep(50 * time.Millisecond) // the case is on screen
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if err := ends(t, out, done); err != nil {
			t.Fatalf("%s: %v", sig, err)
		}
		if f.Closed != 1 {
			t.Errorf("%s: %d sessions were closed", sig, f.Closed)
		}
	}
}

// counting tells when a case has been opened.
type counting struct {
	*uitest.Fake
	opened chan struct{}
}

func (c *counting) Open(ctx context.Context, path string) (backend.Session, error) {
	defer close(c.opened)
	return c.Fake.Open(ctx, path)
}

// panicking breaks in the screen of the drills.
type panicking struct{ *uitest.Fake }

func (panicking) Drills() []backend.Drill { panic("broken list") }

func TestRunGivesTheTerminalBackAfterAPanic(t *testing.T) {
	in, keys := io.Pipe()
	defer func() { _ = keys.Close() }()
	out, done := &output{}, make(chan error, 1)
	go func() {
		done <- ui.Run(context.Background(), ui.Options{Backend: panicking{uitest.NewFake()}, In: in, Out: out, Drill: "vanished-dtro"})
	}()
	if err := ends(t, out, done); err == nil || !strings.Contains(err.Error(), "the screen broke") {
		t.Fatal(err)
	}
}

func TestBadOptionsAreErrors(t *testing.T) {
	for says, o := range map[string]ui.Options{
		"choose auto, dark or light": {Theme: "pink"},
		"roles are text":             {Colors: map[string]string{"nose": "1"}},
		"no action":                  {Keys: map[string][]string{"home.fly": {"f"}}},
	} {
		o.Backend = uitest.NewFake()
		if err := ui.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
