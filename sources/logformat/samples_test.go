package logformat

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"inquest/sources"
)

var near = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)

func TestFormatsReadTheirOwnSamples(t *testing.T) {
	for _, f := range All() {
		if len(f.Samples) == 0 {
			t.Errorf("%s has no sample", f.Name)
		}
		for i, s := range f.Samples {
			t.Run(f.Name+"/"+strconv.Itoa(i), func(t *testing.T) { checkSample(t, f, s) })
		}
	}
}

func checkSample(t *testing.T, f *Format, s Sample) {
	lines := strings.Split(s.Text, "\n")
	p := f.New(lines)
	if p == nil {
		t.Fatal("does not take its own sample")
	}
	rec := s.Text
	if f.Name == "csv" || f.Name == "iis" {
		rec = lines[1]
		lines = lines[1:]
	}
	for i, l := range lines {
		if got := p.Begins([]byte(l)); got != (i == 0) {
			t.Errorf("Begins(%q) = %v", l, got)
		}
		if i > 0 && !p.Continues([]byte(lines[0]), []byte(l)) {
			t.Errorf("%q does not continue", l)
		}
	}
	c := &Context{Near: near}
	var e sources.Event
	if !p.Parse([]byte(rec), c, &e) {
		t.Fatal("does not parse its own sample")
	}
	checkEvent(t, s, e)
	from, to, ok := p.TimeAt([]byte(lines[0]))
	if s.Time == "" || f.Name == "klog" {
		return
	}
	if !ok {
		t.Fatal("TimeAt finds no time")
	}
	st, ok := stampOf(lines[0][from:to], c)
	if at, _ := c.Resolve(st); !ok || !at.Equal(e.Time) {
		t.Errorf("TimeAt says %q = %v, Parse %v", lines[0][from:to], at, e.Time)
	}
	if !strings.HasSuffix(lines[0][:from], p.Anchor) {
		t.Errorf("anchor %q does not stand before the time in %q", p.Anchor, lines[0])
	}
}

func checkEvent(t *testing.T, s Sample, e sources.Event) {
	t.Helper()
	want := strings.Replace(s.Time, "0000-", "2025-", 1)
	got := ""
	if !e.Time.IsZero() {
		if got = e.Time.Format(time.RFC3339Nano); e.ZoneUnknown {
			got = strings.TrimSuffix(got, "Z")
		}
	}
	if got != want {
		t.Errorf("time %q, want %q", got, want)
	}
	if e.Level != s.Level && s.Level != "" {
		t.Errorf("level %q, want %q", e.Level, s.Level)
	}
	if e.Message != s.Message && s.Message != "" {
		t.Errorf("message %q, want %q", e.Message, s.Message)
	}
	own := map[string]string{"@op": string(e.Op), "@method": e.Method, "@path": e.Path, "@actor": e.Actor, "@request": e.RequestID}
	if e.Status != 0 {
		own["@status"] = strconv.Itoa(e.Status)
	}
	for k, v := range s.Want {
		have := e.Fields[k]
		if k[0] == '@' {
			have = own[k]
		}
		if have != v {
			t.Errorf("%s is %q, want %q", k, have, v)
		}
	}
	if t.Failed() {
		t.Logf("%+v", e)
	}
}

func TestDetectFindsEachFormatByItsSamples(t *testing.T) {
	for _, f := range All() {
		for i, s := range f.Samples {
			if got := Detect(strings.Split(s.Text, "\n"), Context{}); got.Main.Format != f {
				t.Errorf("sample %d of %s is taken for %s", i, f.Name, got.Name())
			}
		}
	}
}
