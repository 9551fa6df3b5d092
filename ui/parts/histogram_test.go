package parts

import (
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"inquest/sources"
	"inquest/ui/theme"
)

func TestHistogramShowsWhatWasNotCovered(t *testing.T) {
	th, err := theme.New(theme.Options{Profile: termenv.Ascii})
	if err != nil {
		t.Fatal(err)
	}
	t0 := time.Date(2025, 11, 27, 14, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	span := sources.Window{From: t0, To: minute(10)}
	for name, c := range map[string]struct {
		cov    []sources.Coverage
		events []int
		want   string
	}{
		"nothing read":  {nil, nil, "░░░░░░░░░░"},
		"all read":      {[]sources.Coverage{{From: t0, To: minute(10)}}, nil, "▁▁▁▁▁▁▁▁▁▁"},
		"read in part":  {[]sources.Coverage{{From: minute(2), To: minute(5)}}, nil, "░░▁▁▁▁░░░░"},
		"a gap":         {[]sources.Coverage{{From: t0, To: minute(10), Gaps: []sources.Gap{{From: minute(4), To: minute(6)}}}}, nil, "▁▁▁▁░░▁▁▁▁"},
		"a short gap":   {[]sources.Coverage{{From: t0, To: minute(10), Gaps: []sources.Gap{{From: minute(4).Add(20 * time.Second), To: minute(4).Add(40 * time.Second)}}}}, nil, "▁▁▁▁░▁▁▁▁▁"},
		"unknown zone":  {[]sources.Coverage{{From: t0, To: minute(10), ZoneUnknown: true}}, nil, "░░░░░░░░░░"},
		"events":        {[]sources.Coverage{{From: t0, To: minute(10)}}, []int{3, 3, 7}, "▁▁▁█▁▁▁▅▁▁"},
		"uncovered one": {nil, []int{5}, "░░░░░█░░░░"},
		"buckets":       {[]sources.Coverage{{From: t0, To: minute(10), Buckets: []int64{0, 4, 8}, BucketStart: t0, BucketWidth: 2 * time.Minute}}, nil, "▁▁▅▅██▁▁▁▁"},
	} {
		count := func(from, until time.Time) int {
			n := 0
			for _, m := range c.events {
				if !minute(m).Before(from) && minute(m).Before(until) {
					n++
				}
			}
			return n
		}
		if got := BarText(th, Histogram(c.cov, count, span, 10)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if Histogram(nil, nil, sources.Window{}, 10) != nil || Histogram(nil, nil, span, 0) != nil {
		t.Error("a histogram of nothing")
	}
}

func TestRate(t *testing.T) {
	for want, got := range map[string]string{
		"50 % of 2.0 Gi · 512.0 Mi/s · 2 s left": Rate(1<<30, 2<<30, 2*time.Second),
		"512":           Rate(512, 0, 0),
		"2 h 5 min":     Span(2*time.Hour + 5*time.Minute),
		"in 3 h 20 min": Ago(time.Unix(12000, 0), time.Unix(0, 0)),
		strings.Repeat("█", 5) + strings.Repeat("▁", 5): Bar(5, 10, 10),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
