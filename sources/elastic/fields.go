package elastic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"inquest/sources"
	"inquest/sources/logstore"
)

// mapped is what the mapping lets a search find.
type mapped struct {
	time    string // the field of the time
	nanos   bool   // it counts nanoseconds in some index
	text    []string
	keyword []string // compared as a whole
	whole   []string // of other types, which cannot be searched inside either
	inside  []string // of those, the ones that are also searched inside
	wild    []string // of type wildcard: always searched inside
	numbers []string
	limits  []string
	deaf    []string // fields of text that are not indexed
}

// capability is what _field_caps says of one field in one type.
type capability struct {
	Searchable bool `json:"searchable"`
	Metadata   bool `json:"metadata_field"`
}

// timeNames are the names of a time field, best first.
var timeNames = []string{"@timestamp", "timestamp", "time", "ts", "event.created", "date", "datetime", "@t", "log_time", "created_at"}

// insides are parts of names of fields that hold more than one value's text.
var insides = []string{"message", "msg", "log", "url", "uri", "path", "query", "request", "body", "original", "error", "exception", "stack", "raw", "payload", "text", "detail", "args", "params", "resource", "statement"}

const (
	mostInside  = 20
	mostClauses = 800 // below the 1,024 that a query may have by default
)

// learn asks how the fields are mapped.
func (x *Index) learn(ctx context.Context) (*mapped, error) {
	x.mu.Lock()
	m := x.mapped
	x.mu.Unlock()
	if m != nil {
		return m, nil
	}
	var a struct {
		Indices json.RawMessage                  `json:"indices"`
		Fields  map[string]map[string]capability `json:"fields"`
	}
	if err := x.client.JSON(ctx, logstore.Call{Path: x.path + "/_field_caps", Query: url.Values{"fields": {"*"}, "allow_no_indices": {"true"}}}, &a); err != nil {
		return nil, err
	}
	m = &mapped{}
	if m.time, m.nanos = timeField(a.Fields); m.time == "" {
		if len(a.Fields) == 0 {
			return nil, &sources.Blind{Why: x.name + " matches no index, or none with a field", Opens: "check the index in --elastic (GET _cat/indices)"}
		}
		return nil, &sources.Blind{Why: x.name + " has no field of type date: no event of it has a time", Opens: "name an index whose documents have @timestamp"}
	}
	m.sort(a.Fields)
	x.details(ctx, m)
	x.mu.Lock()
	x.mapped = m
	x.mu.Unlock()
	return m, nil
}

func timeField(fields map[string]map[string]capability) (name string, nanos bool) {
	isTime := func(name string) bool {
		return fields[name]["date"].Searchable || fields[name]["date_nanos"].Searchable
	}
	names := slices.Clone(timeNames)
	names = append(names, slices.Sorted(maps.Keys(fields))...)
	for _, name := range names {
		if isTime(name) {
			return name, fields[name]["date_nanos"].Searchable
		}
	}
	return "", false
}

// sort tells the fields by how they can be searched.
func (m *mapped) sort(fields map[string]map[string]capability) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for kind, c := range fields[name] {
			m.add(name, kind, c, fields)
		}
	}
	slices.SortStableFunc(m.keyword, func(a, b string) int { return telling(b) - telling(a) })
	for _, name := range m.keyword {
		if telling(name) > 0 && len(m.inside) < mostInside {
			m.inside = append(m.inside, name)
		}
	}
	if rest := slices.Concat(m.keyword[len(m.inside):], m.whole); len(rest) > 0 {
		m.limits = append(m.limits, fmt.Sprintf("of %d keyword fields the whole value is compared: an id inside a longer value of them is not found (%s)", len(rest), some(rest)))
	}
	if len(m.text) > 0 {
		m.limits = append(m.limits, "text fields are searched by words: an id that is glued to another word there is not found, a UUID's first and last group excepted")
	}
	if len(m.deaf) > 0 {
		m.limits = append(m.limits, "not indexed, and so not searched: "+some(m.deaf))
	}
}

func (m *mapped) add(name, kind string, c capability, fields map[string]map[string]capability) {
	if c.Metadata || strings.HasPrefix(name, "_") {
		return
	}
	parent := name[:max(strings.LastIndexByte(name, '.'), 0)]
	var list *[]string
	switch kind {
	case "text", "match_only_text", "search_as_you_type", "annotated_text", "pattern_text":
		list = &m.text
	case "keyword":
		if isText(fields[parent]) {
			return // the same value, searched by words
		}
		list = &m.keyword
	case "constant_keyword", "flattened", "counted_keyword", "flat_object":
		list = &m.whole
	case "wildcard":
		list = &m.wild
	case "long", "integer", "short", "unsigned_long":
		list = &m.numbers
	default:
		return
	}
	switch {
	case c.Searchable:
		*list = append(*list, name)
	case list != &m.numbers:
		m.deaf = append(m.deaf, name)
	}
}

func isText(types map[string]capability) bool {
	return types["text"].Searchable || types["match_only_text"].Searchable
}

// telling ranks a keyword field: one that holds text before one that names an
// id before the rest.
func telling(name string) int {
	name = strings.ToLower(name)
	for _, s := range insides {
		if strings.Contains(name, s) {
			return 2
		}
	}
	return 0
}

func some(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(names[:most], ", "), len(names)-most)
}

// unsearchable reports whether no field that holds text can be searched.
func (m *mapped) unsearchable() bool { return len(m.text)+len(m.inside)+len(m.wild) == 0 }

// blindness is the reason then.
func (m *mapped) blindness() *sources.Blind {
	b := &sources.Blind{
		Why:   "no field that holds text is indexed: an id in a message is not found by a search",
		Opens: "name an index whose message is indexed, or read the logs where they were written (--logs, --command)",
	}
	if len(m.deaf) > 0 {
		b.Why += " (not indexed: " + some(m.deaf) + ")"
	}
	return b
}

// details reads off the mapping what leaves values out of the index.
func (x *Index) details(ctx context.Context, m *mapped) {
	var a any
	err := x.client.JSON(ctx, logstore.Call{Path: x.path + "/_mapping", Query: url.Values{"filter_path": {"**.ignore_above,**.enabled,**.dynamic"}}}, &a)
	if err != nil {
		why := "it could not be read"
		var r *logstore.Refused
		if errors.As(err, &r) {
			why = fmt.Sprintf("HTTP %d", r.Status)
		}
		m.limits = append(m.limits, "whether the mapping leaves values out (ignore_above, enabled, dynamic) is not known: "+why)
		return
	}
	var w walk
	w.node(a, nil)
	if w.above > 0 {
		m.limits = append(m.limits, fmt.Sprintf("%d keyword fields leave out values above %d characters or more (ignore_above): those are not found", w.count, w.above))
	}
	if len(w.off) > 0 {
		slices.Sort(w.off)
		m.limits = append(m.limits, "not indexed (enabled: false), and so not searched: "+some(slices.Compact(w.off)))
	}
	if w.strangers {
		m.limits = append(m.limits, "fields that the mapping does not name are not indexed (dynamic: false), and so not searched")
	}
	if w.noSource {
		m.limits = append(m.limits, "documents are kept without what was sent (_source: enabled false): what comes back is what is indexed")
	}
}

// walk goes through a mapping.
type walk struct {
	above, count        int
	off                 []string
	strangers, noSource bool
}

func (w *walk) node(v any, path []string) {
	object, ok := v.(map[string]any)
	if !ok || len(path) > 60 {
		return
	}
	for k, child := range object {
		switch value := child.(type) {
		case float64:
			// 32,766 bytes is where Lucene ends.
			if k == "ignore_above" && value > 0 && value < 32766 {
				w.count++
				if w.above == 0 || int(value) < w.above {
					w.above = int(value)
				}
			}
		case bool:
			w.flag(k, fmt.Sprint(value), path)
		case string:
			w.flag(k, value, path)
		default:
			w.node(child, append(slices.Clip(path), k))
		}
	}
}

func (w *walk) flag(name, value string, path []string) {
	if value != "false" || len(path) == 0 {
		return
	}
	last := path[len(path)-1]
	switch {
	case name == "dynamic":
		w.strangers = true
	case name == "enabled" && last == "_source":
		w.noSource = true
	case name == "enabled":
		w.off = append(w.off, cmp.Or(last, "all"))
	}
}
