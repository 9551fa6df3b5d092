package plain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/live"
	"inquest/ui/parts"
	"inquest/ui/theme"
)

const stamp = "2 Jan 2006 15:04:05 MST"

// summary says what is known, and what to do next.
func (r *room) summary() {
	s, a := r.s.State(), r.s.Assessment()
	r.say("")
	r.label("record", s.Record.ID)
	r.label("table", investigations.TableOf(s, a))
	if !s.Window.IsZero() {
		r.label("window", s.Window.From.In(r.o.Zone).Format(stamp)+" to "+s.Window.To.In(r.o.Zone).Format(stamp)+" "+s.WindowWhy)
	}
	r.label("server", live.ServerText(s.Sources))
	r.label("note", s.Recording)
	r.label("read-only", r.s.ReadOnly())
	if len(s.Runs) == 0 {
		r.label("fate", "not judged yet")
		r.label("next", r.first())
		return
	}
	r.label("fate", theme.FateWords(a.Fate.Kind)+", "+string(a.Fate.Standing))
	r.label("what", a.Fate.Summary)
	r.label("shown by", strings.Join(a.Fate.Evidence, " "))
	if h, ok := a.Leading(); ok {
		r.label("why", words(h.Mechanism)+": "+h.Summary)
	} else {
		r.label("why", "no cause leads")
	}
	for _, x := range a.Fate.Settles {
		r.label("settles", x)
	}
	for i, st := range a.Steps {
		r.say("step %d: %s, %s", i+1, st.Step.Title, st.Verdict)
	}
	r.label("next", "type walk to be asked what only you know, or export to write the report")
}

// first is what to do in a case in which nothing has been run.
func (r *room) first() string {
	c, ok := r.s.(backend.Connected)
	if !ok || c.CannotRun() == "" {
		return "type run"
	}
	if asked, ok := r.s.(backend.Asked); ok {
		if _, why := asked.Asked(); why == "" {
			return "type sources: " + c.CannotRun()
		}
	}
	return c.CannotRun()
}

func words(slug string) string { return strings.ReplaceAll(slug, "-", " ") }

func (r *room) step(_ context.Context, args string) error {
	st, err := r.stepResult(args)
	if err == nil {
		for i, x := range r.s.Assessment().Steps {
			if x.Step.ID == st.Step.ID {
				r.showStep(i, st)
			}
		}
	}
	return err
}

func (r *room) showStep(i int, st investigations.StepResult) {
	r.say("")
	r.say("step %d: %s", i+1, st.Step.Title)
	r.label("asks", st.Step.Asks)
	r.label("why", st.Step.Why)
	for _, p := range st.Probes {
		outcome := "not run yet, needs " + p.Probe.Needs
		if p.Ran {
			outcome = outcomeWords(p.Reading.Outcome) + ", " + strings.TrimPrefix(p.Reading.Summary, "could not look: ")
		}
		r.label("probe", p.Probe.Title+": "+outcome+" "+strings.Join(p.Evidence, " "))
		if p.Ran && p.Reading.Outcome == investigations.BlindOutcome {
			r.label("opens it", p.Reading.Opens)
		}
	}
	r.label("not ruled", "out by finding nothing: "+st.Step.Negative)
	by := "from the probes"
	if st.Signed {
		by = "yours"
	}
	r.label("verdict", string(st.Verdict)+", "+by+" "+st.Note)
}

func outcomeWords(o investigations.Outcome) string {
	switch o {
	case investigations.BlindOutcome:
		return "could not look"
	case investigations.Absent:
		return "looked, nothing there"
	case investigations.NotApplicable:
		return "not applicable"
	}
	return string(o)
}

func (r *room) sql(_ context.Context, args string) error {
	st, err := r.stepResult(args)
	if err != nil {
		return err
	}
	for _, p := range st.Probes {
		r.label("probe", p.Probe.Title)
		r.label("sends", p.Probe.Sends)
		for _, id := range p.Evidence {
			if e, ok := r.s.State().EvidenceByID(id); ok {
				r.label(id, e.Query)
			}
		}
	}
	return nil
}

func (r *room) timeline(_ context.Context, args string) error {
	all := live.NewMoments(r.s.Assessment().Timeline)
	shown := 0
	for i := range all.Len() {
		m := all.At(i)
		if args != "" && !strings.Contains(strings.ToLower(m.Source+" "+m.Summary+" "+m.Request), strings.ToLower(args)) {
			continue
		}
		shown++
		r.say("event %d: %s, %s: %s %s", i+1, parts.MomentTimeLong(m, r.o.Zone), m.Source, m.Summary, m.Evidence)
		if why := m.Doubt(); why != "" && !m.Time.IsZero() {
			r.label("order", why)
		}
	}
	r.label("events", fmt.Sprintf("%d of %d", shown, all.Len()))
	return nil
}

func (r *room) causes() {
	for i, h := range r.s.Assessment().Hypotheses {
		r.say("cause %d: %s, %s: %s", i+1, words(h.Mechanism), words(string(h.Standing)), h.Summary)
		for _, x := range h.For {
			r.label("for", x)
		}
		for _, x := range h.Against {
			r.label("against", x)
		}
		for _, x := range h.Settles {
			r.label("settles", x)
		}
	}
}

func (r *room) versions() {
	all := investigations.Versions(r.s.State())
	r.label("versions", fmt.Sprint(len(all)))
	for i, v := range all {
		at := parts.MomentTimeLong(investigations.Moment{Time: v.Time, Until: v.Until}, r.o.Zone)
		r.say("version %d: %s, %s of %s, xid %d %s, from %s %s", i+1, at, v.Op, v.Table, v.XID, v.End, v.From, v.Evidence)
		for j := i - 1; j >= 0; j-- {
			if all[j].Table != v.Table || all[j].Row == nil {
				continue
			}
			for _, c := range investigations.Diff(all[j], v) {
				r.label("changed", c.Column+": was "+value(c.Before)+", is "+value(c.After))
			}
			break
		}
	}
	if rec := r.s.Assessment().Recovered; rec != nil {
		r.label("recovered", rec.Table+" from "+rec.Origin+": type restore for the SQL")
	}
}

func value(v *string) string {
	if v == nil {
		return "NULL"
	}
	return *v
}

func (r *room) restore() {
	rec := r.s.Assessment().Recovered
	if rec == nil {
		r.label("restore", "no content has been recovered")
		return
	}
	r.label("warning", "inquest never runs this; it ends with ROLLBACK: read what it would do before you change that word")
	r.say("%s", investigations.RestoreSQL(*rec, r.s.Assessment().Facts))
}

func (r *room) evidence(_ context.Context, id string) error {
	if id == "" {
		for _, e := range r.s.State().Evidence {
			query, _, _ := strings.Cut(strings.TrimSpace(e.Query), "\n")
			r.say("%s: %s, %s %s", e.ID, e.Source, e.Tag, query)
		}
		return nil
	}
	e, ok := r.s.State().EvidenceByID(id)
	if !ok {
		return fmt.Errorf("there is no evidence %s", id)
	}
	r.label("evidence", e.ID+" from "+e.Source+", "+e.Kind+", collected "+e.CollectedAt.In(r.o.Zone).Format(stamp))
	r.label("query", e.Query)
	hash := "matches"
	if !e.Intact() {
		hash = "DOES NOT MATCH: the bytes were changed after they were stored"
	}
	r.label("sha256", e.SHA256+" "+hash)
	r.label("partial", e.Partial)
	r.say("%s", e.Body)
	return nil
}

func (r *room) coverage() {
	a, s := r.s.Assessment(), r.s.State()
	for _, e := range a.Expiring {
		at := "at an unknown moment"
		if !e.At.IsZero() {
			at = parts.Ago(e.At, r.o.Now()) + ", " + e.At.In(r.o.Zone).Format(stamp)
		}
		r.label("gone", e.What+": "+at+". "+e.Why)
	}
	for _, c := range a.Coverage {
		r.label("read", c.Source+": "+span(c.From, c.To, r.o.Zone))
		for _, g := range c.Gaps {
			r.label("gap", span(g.From, g.To, r.o.Zone)+": "+g.Reason)
		}
		for _, l := range c.Limits {
			r.label("limit", l)
		}
	}
	for _, src := range s.Sources {
		r.source(src)
	}
}

func span(from, to time.Time, zone *time.Location) string {
	if from.IsZero() {
		return "it carries no times"
	}
	return from.In(zone).Format(stamp) + " to " + to.In(zone).Format(stamp)
}

func (w *walker) source(s sources.Status) {
	w.label("source", s.Source+", "+string(s.State)+", "+s.Summary)
	w.label("problem", s.Problem)
	for _, a := range s.Abilities {
		if !a.OK {
			w.label("cannot", a.Name+": "+a.Why)
			w.label("opens it", a.Opens)
		}
	}
}

func (r *room) statements() {
	for i, st := range r.s.State().Statements {
		r.say("statement %d: %s %s %s: %s %s", i+1, st.Time.In(r.o.Zone).Format(stamp), st.Source, st.Note, st.SQL, st.Error)
	}
}
