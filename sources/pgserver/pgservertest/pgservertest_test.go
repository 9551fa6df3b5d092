package pgservertest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"inquest/sources/pgserver"
)

// recorder is a test whose end is watched.
type recorder struct {
	testing.TB
	ended, message string
}

func (*recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any)  { r.end("skip", format, args) }
func (r *recorder) Fatalf(format string, args ...any) { r.end("fatal", format, args) }

func (r *recorder) end(how, format string, args []any) {
	r.ended, r.message = how, fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestAMissingServerIsLoudAndInCIFatal(t *testing.T) {
	for require, want := range map[string]string{"": "skip", "0": "skip", "1": "fatal"} {
		t.Setenv(RequireEnv, require)
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			missing(r, pgserver.ErrNoServer)
		}()
		<-done
		if r.ended != want || !strings.Contains(r.message, "no PostgreSQL server found") {
			t.Errorf("%s=%q: %s with %q, want %s", RequireEnv, require, r.ended, r.message, want)
		}
	}
}
