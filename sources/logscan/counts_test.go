package logscan_test

import (
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
)

var day = time.Date(2025, 11, 27, 0, 0, 0, 0, time.UTC)

// counted is n stretches of a minute with so many lines each.
func counted(n int, lines int64) logscan.Counts {
	c := logscan.Counts{Start: day, Width: time.Minute, Lines: make([]int64, n)}
	for i := range c.Lines {
		c.Lines[i] = lines
	}
	return c
}

func TestASilenceThatTheRhythmDoesNotExplain(t *testing.T) {
	c := counted(600, 30)
	for i := 100; i < 125; i++ {
		c.Lines[i] = 0
	}
	c.Lines[300] = 0 // one minute is none
	gaps := c.Gaps()
	if len(gaps) != 1 || !gaps[0].From.Equal(day.Add(100*time.Minute)) || !gaps[0].To.Equal(day.Add(125*time.Minute)) {
		t.Fatalf("%+v", gaps)
	}
}

func TestSilencesOfASlowLogAreItsRhythm(t *testing.T) {
	c := counted(1400, 0)
	for i := 0; i < len(c.Lines); i += 15 {
		c.Lines[i] = 1
	}
	if gaps := c.Gaps(); len(gaps) != 0 {
		t.Errorf("a line every quarter of an hour: %+v", gaps)
	}
	few := counted(200, 0)
	few.Lines[0], few.Lines[199] = 5, 5
	if gaps := few.Gaps(); len(gaps) != 0 {
		t.Errorf("ten lines show no rhythm: %+v", gaps)
	}
	nights := counted(3*24*60, 10)
	for i := range nights.Lines {
		if i%(24*60) < 5*60 {
			nights.Lines[i] = 0
		}
	}
	if gaps := nights.Gaps(); len(gaps) != 0 {
		t.Errorf("it is quiet every night: %+v", gaps)
	}
}

func TestFill(t *testing.T) {
	var v sources.Coverage
	c := counted(600, 2)
	c.Fill(&v)
	var sum int64
	for _, n := range v.Buckets {
		sum += n
	}
	if v.Lines != 1200 || sum != 1200 || v.BucketWidth < time.Minute || len(v.Buckets) > 242 || v.BucketStart.After(day) {
		t.Errorf("%+v", v)
	}
	var none sources.Coverage
	logscan.Counts{}.Fill(&none)
	if none.Lines != 0 || none.Buckets != nil {
		t.Errorf("%+v", none)
	}
}

func TestInFields(t *testing.T) {
	fields := map[string]string{"trace.id": "abc-123", "note": "x48213 and 48213,", "other": "148213"}
	for _, c := range []struct {
		needle sources.Needle
		want   bool
	}{
		{sources.Needle{Text: "48213", Whole: true}, true},
		{sources.Needle{Text: "148", Whole: true}, false},
		{sources.Needle{Text: "148"}, true},
		{sources.Needle{Text: "abc", Field: "id"}, true},
		{sources.Needle{Text: "abc", Field: "note"}, false},
		{sources.Needle{}, false},
	} {
		if _, _, ok := logscan.InFields(fields, []sources.Needle{c.needle}); ok != c.want {
			t.Errorf("%+v: %v", c.needle, ok)
		}
	}
	n, why, ok := logscan.InFields(fields, []sources.Needle{{Text: "abc", Weak: true, How: "the start"}, {Text: "123", How: "the id"}})
	if !ok || n.Weak || why != "names the id" {
		t.Errorf("%+v %q", n, why)
	}
}
