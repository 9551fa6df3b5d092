package investigations_test

import (
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
)

func TestDoubtSaysWhyAMomentHasNoPlace(t *testing.T) {
	for want, m := range map[string]inv.Moment{
		"":                 {Time: t0},
		"no time and no":   {Unordered: true},
		"names no zone":    {Time: t0, Unordered: true, ZoneUnknown: true},
		"between two":      {Time: t0, Until: t0.Add(time.Second), Unordered: true},
		"of another clock": {Time: t0, Unordered: true},
	} {
		if got := m.Doubt(); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
}
