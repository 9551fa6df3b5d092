package probes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
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
	q.Found = func(e sources.Event) {
		if !e.Weak && !isOwn(e) && (keep == nil || keep(e)) {
			c.Found(e)
		}
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
		if res.Dropped > 0 {
			res.Coverage.Limits = append(slices.Clip(res.Coverage.Limits), fmt.Sprintf("%s that match were found and not kept: the first %d of them are", plural(int(res.Dropped), "further line"), len(res.Events)))
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

// leftOut says of what was found in logs that not all of it is kept: what comes after
// was not looked at. "" when all is.
func leftOut(in inv.Input, tag string) string {
	for _, e := range in.Evidence {
		if e.Kind == inv.EvidenceEvents && (tag == "" || e.Tag == tag) && strings.Contains(e.Partial, "left out") {
			return "more were found than are kept, and what came later was not looked at"
		}
	}
	for _, c := range in.Coverage {
		if slices.ContainsFunc(c.Limits, func(l string) bool { return strings.Contains(l, "were found and not kept") }) {
			return "more were found than are kept, and what came later was not looked at"
		}
	}
	return ""
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
	// step is how much its log cuts off its times: the event lies in Time..Time+step.
	step time.Duration
}

// latest is the latest moment at which the event can have happened.
func (e logged) latest() time.Time {
	if e.Until.After(e.Time) {
		return e.Until
	}
	return e.Time.Add(e.step)
}

// until is the end of the event's interval as a fact has it: zero when the time is
// as good as exact, or may not be compared.
func (e logged) until() time.Time {
	if unclear(e.Event) || e.step < time.Second && e.Until.IsZero() {
		return time.Time{}
	}
	return e.latest()
}

// eventsOf returns the events of all items with this tag ("" for all), their
// zones settled where something tells them. A line that two sources brought, such
// as a file and the server that writes it, counts once.
func eventsOf(in inv.Input, tag string) []logged {
	type written struct {
		raw string
		at  time.Time
	}
	zone := serverZone(in)
	first := map[written]string{}
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
			if isOwn(ev) {
				continue
			}
			ev = settleZone(ev, zone)
			k := written{ev.Raw, ev.Time}
			if by, seen := first[k]; seen && by != ev.Source {
				continue
			}
			first[k] = ev.Source
			out = append(out, logged{Event: ev, evidence: e.ID})
		}
	}
	return withSteps(withoutOwnSessions(out))
}

// ownBegin is how a server logs that inquest connected (14 and later name the
// program in this line).
const ownBegin = "application_name=" + ownName

// withoutOwnSessions drops the lines of inquest's own sessions from a log whose
// prefix does not name the program: those of its process ids while it was connected.
func withoutOwnSessions(list []logged) []logged {
	type life struct {
		from, to time.Time
	}
	lives := map[string][]life{}
	key := func(e logged) string { return e.Source + " " + sessionKey(e.Event) }
	for _, e := range list {
		if isServerLog(e.Event) && isBegin(e.Event) && strings.Contains(e.Message+" ", ownBegin+" ") {
			l := life{from: e.Time}
			for _, o := range list {
				if key(o) == key(e) && isEnd(o.Event) && !o.Time.Before(e.Time) && (l.to.IsZero() || o.Time.Before(l.to)) {
					l.to = o.Time
				}
			}
			lives[key(e)] = append(lives[key(e)], l)
		}
	}
	if len(lives) == 0 {
		return list
	}
	return filter(list, func(e logged) bool {
		return !slices.ContainsFunc(lives[key(e)], func(l life) bool {
			return !e.Time.Before(l.from) && (l.to.IsZero() || !e.Time.After(l.to))
		})
	})
}

// withSteps notes at every event how much its log cuts off its times.
func withSteps(list []logged) []logged {
	by := map[string][]sources.Event{}
	for _, e := range list {
		by[e.Source] = append(by[e.Source], e.Event)
	}
	steps := map[string]time.Duration{}
	for name, events := range by {
		steps[name] = stepOf(events)
	}
	for i := range list {
		list[i].step = steps[list[i].Source]
	}
	return list
}

// stepOf is how much a log cuts off its times: a second where no line tells a
// fraction of one, else a millisecond, as PostgreSQL writes them, or less.
func stepOf(events []sources.Event) time.Duration {
	step := time.Second
	for _, e := range events {
		switch ns := e.Time.Nanosecond(); {
		case ns%int(time.Millisecond) != 0:
			return time.Microsecond
		case ns != 0:
			step = time.Millisecond
		}
	}
	return step
}

// ownAgent is how inquest names itself in the requests that it sends.
var ownAgent = regexp.MustCompile(`\binquest/\S+ \(read-only\)`)

// isOwn reports a line about inquest's own sessions or requests: they are no
// evidence.
func isOwn(e sources.Event) bool {
	if isServerLog(e) {
		marked := strings.Contains(e.Raw, strings.TrimSpace(sources.StatementMark)) || strings.Contains(e.Raw, `"`+ownName+`.`)
		return marked || e.Field("application_name") == ownName
	}
	return strings.Contains(e.Raw, ownName+"/") && ownAgent.MatchString(e.Raw)
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

// unplaced names the logs whose times carry no zone that is known: at a given
// moment nothing in them may be called absent.
func unplaced(in inv.Input) []string {
	zone := serverZone(in)
	var out []string
	for _, c := range in.Coverage {
		settled := zone != nil && strings.HasPrefix(c.Format, "postgres")
		if c.ZoneUnknown && !settled && !slices.Contains(out, c.Source) {
			out = append(out, c.Source)
		}
	}
	return out
}

// withoutZone is the reading of a probe that looked for what happened at a moment
// and found nothing in logs of which some tell no zone.
func withoutZone(logs []string) inv.Reading {
	return inv.Reading{
		Outcome: inv.BlindOutcome, Opens: "say in which zone they are written with --tz, such as --tz Europe/London",
		Summary: "nothing stands at that moment in logs whose times tell it; the times of " + short(strings.Join(logs, ", "), 120) + " carry no zone",
	}
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

// settingOf returns the value of a setting of the first server among the facts,
// or "". What is set for a role or a database alone does not count.
func settingOf(facts inv.Facts, name string) string {
	server := ""
	for _, f := range facts.Of(inv.Setting) {
		if server == "" {
			server = f.Attr("server")
		}
		if f.Attr("name") == name && f.Attr("server") == server && !setForSome(f) {
			return f.Attr("value")
		}
	}
	return ""
}

// setForSome reports a setting of a role or a database, not of the server.
func setForSome(f inv.Fact) bool {
	switch scope := f.Attr("scope"); scope {
	case "user", "database user": // pg_settings.source: of inquest's own role
		return true
	default:
		return strings.HasPrefix(scope, "set for ")
	}
}

// setEverywhere returns a setting's value when no role and no database has one of
// its own that ok refuses; else "", for then a session may have had another.
func setEverywhere(facts inv.Facts, name string, ok func(string) bool) string {
	for _, f := range facts.Of(inv.Setting).With("name", name) {
		if setForSome(f) && !ok(f.Attr("value")) {
			return ""
		}
	}
	return settingOf(facts, name)
}

// logsWrites reports a value of log_statement by which statements that change
// rows are logged.
func logsWrites(v string) bool { return v == "mod" || v == "all" }

// plain takes the evidence ids off.
func plain(list []logged) []sources.Event {
	out := make([]sources.Event, 0, len(list))
	for _, e := range list {
		out = append(out, e.Event)
	}
	return out
}

// moment puts an event on the timeline.
func moment(e logged, summary string) inv.Moment {
	return inv.Moment{
		Time: e.Time, Until: e.Until, Source: e.Source, Summary: summary,
		Evidence: e.evidence, Unordered: e.ZoneUnknown || e.NoTime, ZoneUnknown: e.ZoneUnknown, Request: e.RequestID,
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
