package mechanisms

import (
	"testing"
	"time"

	inv "inquest/investigations"
)

// A job's log on another host proves an order only beyond what is known of the two
// clocks.
func TestBeforeByAnotherClock(t *testing.T) {
	commit := time.Date(2025, 11, 27, 14, 58, 12, 0, time.UTC)
	step := Step{Fact: inv.Fact{Attrs: map[string]string{"server": "db:prod"}}, Ends: inv.Facts{{Time: commit}}}
	ahead := func(d time.Duration) inv.Timing {
		return inv.NewTiming([]inv.Clock{{Source: "log:job", Against: "db:prod", Offset: d, Error: 100 * time.Millisecond}}, nil)
	}
	for _, c := range []struct {
		what   string
		timing inv.Timing
		began  time.Duration // before the commit, by the job's clock
		want   bool
	}{
		{"not compared, well before", inv.Timing{}, 3 * time.Second, true},
		{"not compared, within what nobody notices", inv.Timing{}, 300 * time.Millisecond, false},
		{"the same clock as good as", ahead(0), 300 * time.Millisecond, true},
		{"within the error", ahead(0), 90 * time.Millisecond, false},
		{"the job's clock is a minute behind: it began after", ahead(-time.Minute), 30 * time.Second, false},
		{"the job's clock is a minute ahead: it began before", ahead(time.Minute), -30 * time.Second, true},
		{"a clock that was set", inv.NewTiming([]inv.Clock{{Source: "log:job", Against: "db:prod", Unsteady: true}}, nil), time.Hour, false},
	} {
		v := View{Deliberation: inv.Deliberation{Timing: c.timing}}
		if got := v.before("log:job", commit.Add(-c.began), step); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

// A request's line is looked for at the commit by the server's clock.
func TestRequestInFlightByAnotherClock(t *testing.T) {
	commit := time.Date(2025, 11, 27, 14, 58, 12, 0, time.UTC)
	line := inv.Fact{Kind: inv.APIAnswer, Time: commit.Add(91 * time.Second), Attrs: map[string]string{"op": "delete", "status": "204", "source": "log:gateway"}}
	facts := inv.Facts{
		line,
		{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": "764", "server": "db:prod", "table": "public.orders"}},
		{Kind: inv.XactCommitted, Time: commit, Attrs: map[string]string{"xid": "764", "server": "db:prod", "from": "wal"}},
	}
	clocks := []inv.Clock{{Source: "log:gateway", Against: "db:prod", Offset: 90 * time.Second, Error: 500 * time.Millisecond}}
	for _, c := range []struct {
		what   string
		timing inv.Timing
		want   int
	}{
		{"not compared", inv.Timing{}, 0},
		{"measured", inv.NewTiming(clocks, nil), 1},
		{"measured too coarsely to tell", inv.NewTiming([]inv.Clock{{Source: "log:gateway", Against: "db:prod", Offset: 90 * time.Second, Error: time.Minute}}, nil), 0},
	} {
		v := newView(inv.Deliberation{Facts: facts, Timing: c.timing}, Focus{})
		if got := requestInFlight(v); len(got) != c.want {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}
