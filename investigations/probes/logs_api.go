package probes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func logsAPI() inv.Probe {
	return inv.Probe{
		ID: "logs.api", Step: inv.StepLogs, Phase: inv.PhaseRows, Title: "What the API says now",
		Asks:     "What does the application's API answer when it is asked for the id now?",
		Why:      "It is what users see: an API that denies a row which the table holds hides it, one that shows a row which is gone has a copy.",
		Negative: "A 404 is the word of this API alone: a wrong path, a missing right, a soft delete, a tenant or a cache give the same.",
		Needs:    "the API's URL with {id} in it (--api); only GET is sent",
		Timeout:  time.Minute,
		Collect:  collectAPI,
		Read:     readAPI,
	}
}

func collectAPI(ctx context.Context, c *inv.Collector) error {
	apis := inv.With[sources.Asker](c)
	if len(apis) == 0 {
		return &sources.Blind{Why: "no API was named", Opens: "name it with --api, such as --api https://host/orders/{id}"}
	}
	var parts map[string]string
	for _, p := range c.Record.Composite() {
		if parts == nil {
			parts = map[string]string{}
		}
		parts[p.Column] = p.Value
	}
	for _, a := range apis {
		got, err := a.Ability.Ask(ctx, c.Record.ID, parts)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, a.Source.Name(), err)
			continue
		}
		if err := keepAnswer(c, a.Source.Name(), *got); err != nil {
			return err
		}
	}
	return nil
}

// keepAnswer keeps as much of the body as a case takes of one item.
func keepAnswer(c *inv.Collector, source string, a sources.Answer) error {
	for {
		err := c.Keep(inv.EvidenceAnswer, source, "GET "+a.URL, "", a)
		var large *sources.Blind
		if !errors.As(err, &large) || a.Body == "" {
			return err
		}
		a.Body = strings.ToValidUTF8(a.Body[:len(a.Body)/2], "")
		a.BodyNote = joinLine(a.BodyNote, fmt.Sprintf("only the first %d bytes are kept", len(a.Body)))
	}
}

// apiAnswer is a stored answer with the item it came from.
type apiAnswer struct {
	sources.Answer
	evidence, source string
}

func readAPI(in inv.Input) inv.Reading {
	var list []apiAnswer
	for _, e := range in.Evidence {
		a := apiAnswer{evidence: e.ID, source: e.Source}
		if e.Kind == inv.EvidenceAnswer && e.Decode(&a.Answer) == nil {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.BlindOutcome}
	for _, a := range list {
		says, sure := a.verdict(in.Record)
		f := a.fact(says, sure)
		r.Facts = append(r.Facts, f)
		r.Moments = append(r.Moments, inv.Moment{Time: a.Received, Source: a.source, Summary: f.Says, Evidence: a.evidence, Unordered: true})
		r.Summary = joinLine(r.Summary, f.Says)
		switch {
		case !sure:
			r.Opens = orElse(r.Opens, "check --api with an id that exists; headers such as Authorization go into the configuration as api-headers")
		case says == apiShows:
			r.Outcome = inv.Found
		case r.Outcome != inv.Found:
			r.Outcome = inv.Absent
		}
	}
	if r.Outcome != inv.BlindOutcome {
		r.Opens = ""
	}
	return r
}

// apiSays is what an answer says of the record.
type apiSays string

const (
	apiShows  apiSays = "it shows the record"
	apiDenies apiSays = "it says that there is no such record"
)

// verdict reads an answer with care; sure is false for one that says nothing of
// the record, and then the words say why.
func (a apiAnswer) verdict(rec inv.Record) (says apiSays, sure bool) {
	page := a.Type == "text/html" || a.Type == "application/xhtml+xml"
	switch {
	case a.Location != "":
		return "it redirects to another place, which was not followed", false
	case a.Final != "" && !namesAny(a.Final, rec):
		return "it redirected to a place that is not the record's, such as a login", false
	case a.Status == 401 || a.Status == 403 || a.Status == 407:
		return "it wants other credentials", false
	case a.Status == 429:
		return "it asks for patience", false
	case a.Status == 404 && (page || routeless(a.Body)):
		return "the answer looks like that of a path that leads nowhere", false
	case a.Status == 404 || a.Status == 410:
		return apiDenies, true
	case a.Status >= 500:
		return "it failed", false
	case a.Status >= 400:
		return "it refused the request", false
	case a.Status < 200 || a.Status >= 300:
		return "that says nothing of the record", false
	case page:
		return "the answer is a web page and no data", false
	case bodyShows(a.Body, rec):
		return apiShows, true
	}
	return "the body does not name the id, or speaks of an error", false
}

// routeless knows what routers say of a path that nobody serves.
func routeless(body string) bool {
	body = strings.ToLower(strings.TrimSpace(body))
	for _, s := range []string{"404 page not found", "cannot get /", "no route", "route not found", "no static resource", "default backend", "unknown path", "<html", "<!doctype"} {
		if strings.HasPrefix(body, s) || len(body) < 400 && strings.Contains(body, s) {
			return true
		}
	}
	return false
}

func namesAny(text string, rec inv.Record) bool {
	for _, v := range rec.Values() {
		for _, n := range sources.Spellings(v) {
			if !n.Weak && strings.Contains(text, n.Text) {
				return true
			}
		}
	}
	return false
}

// bodyShows reports whether a body of data holds the id as a value of its own,
// and is no error that only repeats it.
func bodyShows(body string, rec inv.Record) bool {
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		// Text, XML or a body that was cut: only an id that is its own proof counts.
		for _, value := range rec.Values() {
			if len(value) >= 16 && namesAny(body, rec) && !strings.Contains(strings.ToLower(body[:min(len(body), 300)]), "not found") {
				return true
			}
		}
		return false
	}
	if top, ok := v.(map[string]any); ok {
		for k, e := range top {
			switch strings.ToLower(k) {
			case "error", "errors", "fault", "exception":
				if e != nil && e != false && e != "" {
					return false
				}
			}
		}
	}
	for _, value := range rec.Values() {
		if !holds(v, value) {
			return false
		}
	}
	return true
}

// holds reports whether one of the values of a JSON document is the text.
func holds(v any, want string) bool {
	switch t := v.(type) {
	case string:
		return strings.EqualFold(t, want) || len(want) >= 32 && strings.EqualFold(bare(t), bare(want))
	case json.Number:
		return t.String() == want
	case []any:
		for _, e := range t {
			if holds(e, want) {
				return true
			}
		}
	case map[string]any:
		for _, e := range t {
			if holds(e, want) {
				return true
			}
		}
	}
	return false
}

func (a apiAnswer) fact(says apiSays, sure bool) inv.Fact {
	_, path, _ := strings.Cut(a.URL, "://")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		path = path[i:]
	}
	f := inv.Fact{
		Kind: inv.APIAnswer, Ground: inv.GroundLog, Time: a.Received, Evidence: []string{a.evidence},
		Attrs: map[string]string{
			"source": a.source, "method": "GET", "path": path, "status": strconv.Itoa(a.Status), "asked": "now", "actor": ownName,
		},
		Says: fmt.Sprintf("%s answers %d now: %s", a.source, a.Status, says),
	}
	if sure {
		f.Attrs["op"] = string(sources.OpRead)
	}
	return f
}
