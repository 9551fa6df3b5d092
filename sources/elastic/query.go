package elastic

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
)

// object is a piece of the query language.
type object = map[string]any

// asking is how a search asks: it asks for less when the cluster refuses.
type asking struct {
	wildcards bool
	clauses   int      // most of them
	loose     []string // text fields without positions, where words cannot be a phrase
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4})-[0-9A-Fa-f]{12}$`)

// texts are what is looked for: in text fields, where case and punctuation do
// not count, and as it is.
func texts(needles []sources.Needle) (words, exact []string) {
	for _, n := range needles {
		w := strings.ToLower(n.Text)
		if m := uuid.FindStringSubmatch(w); m != nil {
			w = m[1] // its ends may be glued to another word
		}
		if w != "" && !slices.Contains(words, w) {
			words = append(words, w)
		}
		if n.Text != "" && !slices.Contains(exact, n.Text) {
			exact = append(exact, n.Text)
		}
	}
	return words, exact
}

// matching is the query for documents that may hold one of the needles, with
// the fields that it leaves out. Nil without needles.
func (m *mapped) matching(needles []sources.Needle, how asking) (query object, left []string) {
	if len(needles) == 0 {
		return nil, nil
	}
	words, exact := texts(needles)
	var should []any
	room := how.clauses
	take := func(fields []string, each int) []string {
		n := min(len(fields), max(room, 0)/max(each, 1))
		left = append(left, fields[n:]...)
		room -= n * each
		return fields[:n]
	}
	phrased := slices.DeleteFunc(slices.Clone(m.text), func(f string) bool { return slices.Contains(how.loose, f) })
	if fields := take(phrased, len(words)); len(fields) > 0 {
		for _, w := range words {
			should = append(should, object{"multi_match": object{"query": w, "type": "phrase", "fields": fields, "lenient": true}})
		}
	}
	if how.wildcards {
		least := shortest(exact)
		for _, f := range take(slices.Concat(m.wild, m.inside), len(least)) {
			for _, t := range least {
				should = append(should, object{"wildcard": object{f: object{"value": "*" + escape(t) + "*"}}})
			}
		}
	} else {
		left = append(left, m.wild...)
	}
	if len(how.loose) > 0 { // all its words, which the hits are then looked through for
		for _, w := range words {
			should = append(should, object{"multi_match": object{"query": w, "operator": "and", "fields": how.loose, "lenient": true}})
		}
	}
	for _, f := range take(slices.Concat(m.keyword, m.whole), 1) {
		should = append(should, object{"terms": object{f: exact}})
	}
	if n, ok := number(needles); ok {
		for _, f := range take(m.numbers, 1) {
			should = append(should, object{"term": object{f: n}})
		}
	}
	return object{"bool": object{"should": should, "minimum_should_match": 1}}, left
}

// shortest leaves out the texts that hold another one: that one finds them.
func shortest(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(t string) bool {
		return slices.ContainsFunc(list, func(o string) bool { return o != t && strings.Contains(t, o) })
	})
}

func number(needles []sources.Needle) (int64, bool) {
	for _, n := range needles {
		if v, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return v, true
		}
	}
	return 0, false
}

// escape makes a text mean itself in a wildcard query.
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s) }

// within restricts to a window by the time field; nil: it does not.
func (m *mapped) within(w sources.Window) object {
	bounds := object{}
	if m.nanos {
		const form = "2006-01-02T15:04:05.000000000Z"
		bounds["format"] = "strict_date_optional_time_nanos"
		if !w.From.IsZero() {
			bounds["gte"] = w.From.UTC().Format(form)
		}
		if !w.To.IsZero() {
			bounds["lt"] = w.To.UTC().Format(form)
		}
	} else {
		bounds["format"] = "epoch_millis"
		if !w.From.IsZero() {
			bounds["gte"] = fmt.Sprint(w.From.UnixMilli())
		}
		if !w.To.IsZero() {
			bounds["lt"] = fmt.Sprint(w.To.Add(time.Millisecond - 1).UnixMilli())
		}
	}
	if len(bounds) == 1 {
		return nil
	}
	return object{"range": object{m.time: bounds}}
}

// filtered puts the parts of a query together; nil parts count for nothing.
func filtered(parts ...object) object {
	list := []any{}
	for _, p := range parts {
		if p != nil {
			list = append(list, p)
		}
	}
	return object{"bool": object{"filter": list}}
}

// byTime sorts by the time field, oldest first unless newest is set.
func (m *mapped) byTime(newest bool) object {
	by := object{"order": "asc", "unmapped_type": "date"}
	if newest {
		by["order"] = "desc"
	}
	if m.nanos {
		by["numeric_type"], by["unmapped_type"] = "date_nanos", "date_nanos"
	}
	return object{m.time: by}
}

// moment reads a sort value of the time field.
func (m *mapped) moment(v int64) time.Time {
	if m.nanos {
		return time.Unix(0, v).UTC()
	}
	return time.UnixMilli(v).UTC()
}
