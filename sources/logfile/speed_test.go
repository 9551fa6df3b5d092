package logfile

import (
	"os"
	"testing"

	"inquest/sources"
)

// BenchmarkSearch reads the file that INQUEST_BENCH_LOG names.
func BenchmarkSearch(b *testing.B) {
	path := os.Getenv("INQUEST_BENCH_LOG")
	if path == "" {
		b.Skip("INQUEST_BENCH_LOG names no log")
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	for b.Loop() {
		s, err := Open(path, Options{}) // a case searches a log a few times, and tells its format once
		if err != nil {
			b.Fatal(err)
		}
		r, err := s[0].(sources.LogSearcher).SearchLogs(b.Context(), sources.LogQuery{Needles: sources.Spellings("e7a4bff2-adc7-4847-a9d8-25734601b405")})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(r.Events)), "events")
	}
}
