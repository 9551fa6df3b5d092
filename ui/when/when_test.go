package when

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

var now = time.Date(2025, 11, 28, 10, 30, 15, 0, time.UTC) // a Friday

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"27/11/2025 14:58":               "2025-11-27T14:58:00Z",
		"27.11.2025 14:58":               "2025-11-27T14:58:00Z",
		"3.4.2025":                       "2025-04-03T00:00:00Z",
		"11/27/2025 2:58pm":              "2025-11-27T14:58:00Z",
		"27-11-2025 14:58:03":            "2025-11-27T14:58:03Z",
		"27/11 14:58":                    "2025-11-27T14:58:00Z",
		"30/11 14:58":                    "2024-11-30T14:58:00Z",
		"2025-11-27":                     "2025-11-27T00:00:00Z",
		"2025-11-27 14:58":               "2025-11-27T14:58:00Z",
		"2025-11-27T14:58:03.412Z":       "2025-11-27T14:58:03.412Z",
		"2025-11-27T14:58:03+01:00":      "2025-11-27T13:58:03Z",
		"2025-11-27 14:58:03.412+00":     "2025-11-27T14:58:03.412Z",
		"2025-11-27 14:58:03,412":        "2025-11-27T14:58:03.412Z",
		"2025-11-27 14:58 +0530":         "2025-11-27T09:28:00Z",
		"2025-11-27 14:58 Europe/Berlin": "2025-11-27T13:58:00Z",
		"27 Nov 2025 14:58":              "2025-11-27T14:58:00Z",
		"Nov 27, 2025 2:58 PM":           "2025-11-27T14:58:00Z",
		"Thu 27 November 2025 at 14:58":  "2025-11-27T14:58:00Z",
		"27th of november 14:58":         "2025-11-27T14:58:00Z",
		"2h ago":                         "2025-11-28T08:30:15Z",
		"-2h":                            "2025-11-28T08:30:15Z",
		"90m":                            "2025-11-28T09:00:15Z",
		"1 day 2 hours ago":              "2025-11-27T08:30:15Z",
		"1d2h ago":                       "2025-11-27T08:30:15Z",
		"an hour ago":                    "2025-11-28T09:30:15Z",
		"half an hour ago":               "2025-11-28T10:00:15Z",
		"yesterday 3pm":                  "2025-11-27T15:00:00Z",
		"yesterday at 14:58":             "2025-11-27T14:58:00Z",
		"3pm yesterday":                  "2025-11-27T15:00:00Z",
		"yesterday noon":                 "2025-11-27T12:00:00Z",
		"today 9:05":                     "2025-11-28T09:05:00Z",
		"09:05":                          "2025-11-28T09:05:00Z",
		"14:58":                          "2025-11-27T14:58:00Z",
		"monday 9am":                     "2025-11-24T09:00:00Z",
		"last friday 17:30":              "2025-11-21T17:30:00Z",
		"now":                            "2025-11-28T10:30:15Z",
		"1764255480":                     "2025-11-27T14:58:00Z",
		"1764255480412":                  "2025-11-27T14:58:00.412Z",
		"05/05/2025":                     "2025-05-05T00:00:00Z",
	} {
		r, err := Parse(text, now, time.UTC)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := r.Time.UTC().Format(time.RFC3339Nano); got != want || len(r.Ambiguous) > 0 {
			t.Errorf("%q: %s %v, want %s", text, got, r.Ambiguous, want)
		}
		if r.Echo == "" {
			t.Errorf("%q: nothing echoed", text)
		}
	}
}

func TestAmbiguousIsAskedAbout(t *testing.T) {
	r, err := Parse("03/04/2025 10:00", now, time.UTC)
	if err != nil || !r.Time.IsZero() || len(r.Ambiguous) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	if r.Ambiguous[0].Month() != time.March || r.Ambiguous[1].Month() != time.April {
		t.Fatalf("not earliest first: %v", r.Ambiguous)
	}
	if !strings.Contains(r.Echo, "4 Mar 2025") || !strings.Contains(r.Echo, "3 Apr 2025") {
		t.Fatalf("echo %q", r.Echo)
	}
}

func TestClockChanges(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse("2025-10-26 02:30", now, berlin)
	if err != nil || len(r.Ambiguous) != 2 || r.Ambiguous[1].Sub(r.Ambiguous[0]) != time.Hour {
		t.Fatalf("02:30 happened twice: %+v %v", r, err)
	}
	if _, err := Parse("2025-03-30 02:30", now, berlin); err == nil {
		t.Fatal("02:30 did not happen that day")
	}
	r, err = Parse("27/11/2025 14:58", now, berlin)
	if err != nil || r.Time.UTC().Hour() != 13 || !strings.Contains(r.Echo, "CET") || !strings.Contains(r.Echo, "13:58:00 UTC") {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestRefusesWhatIsNoTime(t *testing.T) {
	for _, text := range []string{
		"", "  ", "soon", "32/01/2025", "29/02/2025", "25:00", "13pm", "14:58 15:58", "27/11/2025 28/11/2025",
		"14:58 CST", "2025-11-27 14:58 Z +01:00", "November", "5", "2025", "12 apples ago", strings.Repeat("1", 200), "+99:00 14:00",
	} {
		if r, err := Parse(text, now, time.UTC); err == nil {
			t.Errorf("%q was read as %v", text, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"27/11/2025 14:58", "2h ago", "yesterday 3pm", "2025-11-27T14:58:03Z", "Nov 27, 2025 2:58 PM", "03/04/2025", "-1d", "１２"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s, now, time.UTC)
		if err == nil && r.Time.IsZero() && len(r.Ambiguous) < 2 {
			t.Fatalf("%q: neither a time nor a choice: %+v", s, r)
		}
		if err == nil && r.Echo == "" {
			t.Fatalf("%q: no echo", s)
		}
	})
}
