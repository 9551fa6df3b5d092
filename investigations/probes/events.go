package probes

import (
	"context"
	"errors"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// search runs one query against every log source, keeps its events under tag
// and records coverage. A source that could not look is recorded as blind.
func search(ctx context.Context, c *inv.Collector, q sources.LogQuery, tag string, keep func(sources.Event) bool) ([]sources.Event, error) {
	var all []sources.Event
	logs := inv.With[sources.LogSearcher](c)
	if len(logs) == 0 {
		return nil, noLogs()
	}
	for _, l := range logs {
		q.Progress = func(done, total int64) { c.Progress(done, total, l.Source.Name()) }
		res, err := l.Ability.SearchLogs(ctx, q)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if err != nil {
			blindTo(c, l.Source.Name(), err)
			continue
		}
		c.Cover(res.Coverage)
		events := res.Events
		if keep != nil {
			events = filter(events, keep)
		}
		if len(events) == 0 {
			continue
		}
		if err := c.KeepEvents(l.Source.Name(), res.Query, tag, events); err != nil {
			return all, err
		}
		all = append(all, events...)
	}
	return all, nil
}

func noLogs() error {
	return &sources.Blind{Why: "no log was given", Opens: "name log files or folders with --logs"}
}

// blindTo records why one source could not answer.
func blindTo(c *inv.Collector, source string, err error) {
	var b *sources.Blind
	if errors.As(err, &b) {
		c.Blind(source+": "+b.Why, b.Opens)
		return
	}
	c.Blind(source+": "+err.Error(), "")
}

func filter[T any](list []T, ok func(T) bool) []T {
	var out []T
	for _, v := range list {
		if ok(v) {
			out = append(out, v)
		}
	}
	return out
}

// logged is one event of stored evidence, with the id of its item.
type logged struct {
	sources.Event
	evidence string
}

// eventsOf returns the events of all items with this tag ("" for all), their
// zones settled where something tells them.
func eventsOf(in inv.Input, tag string) []logged {
	zone := serverZone(in)
	var out []logged
	for _, e := range in.Evidence {
		if e.Kind != inv.EvidenceEvents || (tag != "" && e.Tag != tag) {
			continue
		}
		var list []sources.Event
		if e.Decode(&list) != nil {
			continue
		}
		for _, ev := range list {
			out = append(out, logged{Event: settleZone(ev, zone), evidence: e.ID})
		}
	}
	return out
}

// serverZone is the server's log_timezone, nil when it is not known.
func serverZone(in inv.Input) *time.Location {
	name := settingOf(in.Facts, "log_timezone")
	if name == "" {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// settleZone gives a PostgreSQL line that was written without a zone the zone
// that the server says it logs in. Other logs keep their doubt.
func settleZone(e sources.Event, zone *time.Location) sources.Event {
	if !e.ZoneUnknown || zone == nil || !isServerLog(e) {
		return e
	}
	t := e.Time
	e.Time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).UTC()
	e.ZoneUnknown = false
	return e
}

// isServerLog reports whether the event is a line of a PostgreSQL server log.
func isServerLog(e sources.Event) bool { return strings.HasPrefix(e.Format, "postgres") }

// settingOf returns the value of a server setting among the facts, or "".
func settingOf(facts inv.Facts, name string) string {
	for _, f := range facts.Of(inv.Setting) {
		if f.Attr("name") == name {
			return f.Attr("value")
		}
	}
	return ""
}

// moment puts an event on the timeline.
func moment(e logged, summary string) inv.Moment {
	return inv.Moment{
		Time: e.Time, Until: e.Until, Source: e.Source, Summary: summary,
		Evidence: e.evidence, Unordered: e.ZoneUnknown || e.NoTime, Request: e.RequestID,
	}
}

// line is what an event says, for a timeline: method, path and status where it
// has them, else its message.
func line(e sources.Event) string {
	var parts []string
	if e.Method != "" {
		parts = append(parts, e.Method)
	}
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	if e.Status != 0 {
		parts = append(parts, "→ "+itoa(e.Status))
	}
	if len(parts) < 2 && e.Message != "" {
		parts = append(parts, e.Message)
	}
	if len(parts) == 0 {
		parts = append(parts, e.Raw)
	}
	return short(strings.Join(parts, " "), 200)
}

// unclear reports whether an event's time may not be compared with other clocks.
func unclear(e sources.Event) bool { return e.Time.IsZero() || e.ZoneUnknown || e.NoTime }
