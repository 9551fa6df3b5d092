package probes

import (
	"regexp"
	"slices"
	"strings"

	"inquest/sources"
)

// attemptWords are what lines say of what is asked for and not yet done.
var attemptWords = []string{"request", "attempt", "start", "begin", "queue", "schedul", "enqueu", "pending", "confirm", "dry", "skip"}

// saysRemoved reports whether a line without a status says that the record was
// removed: in words, or as an audit log does, in a field for what was done.
func saysRemoved(e sources.Event, n naming) bool {
	if e.Level == sources.LevelError || e.Level == sources.LevelFatal {
		return false
	}
	msg := strings.ToLower(e.Message)
	contains := func(w string) bool { return strings.Contains(msg, w) }
	if slices.ContainsFunc(deniedWords, contains) {
		return false
	}
	return removing.said(msg, n) || e.Op == sources.OpDelete && e.Method == "" && !slices.ContainsFunc(attemptWords, contains) && !failedField(e)
}

// deed finds in words that something was done with a record. In its expressions the
// record's id is @.
type deed struct {
	before, after, alone *regexp.Regexp // verb and name, name and verb, verb without the name
	elsewhere            *regexp.Regexp // what follows, by which it was not the record itself
}

const helpers = `(?:was|were|is|has|have|had|been|being|got|now|just|successfully|permanently|automatically|hard|soft|bulk|finally|then|and|expired|archived|cancelled|deactivated)`

func newDeed(verb, elsewhere string) deed {
	return deed{
		before:    regexp.MustCompile(`\b` + verb + `\b([^@]{0,60})@`),
		after:     regexp.MustCompile(`@["'\])}]*[\s,:-]*(?:` + helpers + `[\s-]+)*` + verb + `\b`),
		alone:     regexp.MustCompile(verb + `\b`),
		elsewhere: regexp.MustCompile(elsewhere),
	}
}

var (
	removing = newDeed(`(?:removed|deleted|purged|erased|pruned|destroyed|wiped|dropped|expired and removed|cleaned up|archived and (?:removed|deleted))`, `^[^a-z@]*(?:by \S+ )?(?:from|out of|in) (?:the |its |our )?([a-z_.-]+)`)
	creating = newDeed(`(?:created|inserted|stored|saved|accepted|registered|submitted|issued|acknowledged|published)`, `^[^a-z@]*(?:by \S+ )?(?:to|into|in|on) (?:the |its |our )?([a-z_.-]+)`)
	wordIn   = regexp.MustCompile(`[a-z_./-]*[a-z][a-z_./-]*(?:=)?`)
)

// besideRecord are things of which lines say that they were removed, beside the name of a
// record that was not: copies of it, what belongs to it and what pointed at it.
var besideRecord = []string{
	"cache", "cached", "cdn", "index", "entry", "search", "file", "files", "temp", "tmp", "lock", "session", "token", "cookie", "draft", "line", "lines", "cart", "basket", "wishlist", "queue", "message",
	"notification", "image", "thumbnail", "attachment", "folder", "directory", "backup", "snapshot", "replica", "topic", "subscription", "tag", "label", "link", "reference", "comment", "permission", "role",
	"viewing", "memory", "redis", "buffer", "hold", "reservation", "watch", "alert", "reminder", "timer", "job", "task", "copy", "copies",
}

// joining are words after which a name says whose a thing is, not which.
var joining = []string{"for", "of", "on", "from", "in", "at", "to", "with", "about", "under", "via", "after", "before", "belonging", "attached", "related"}

// stores are where a record itself is removed from.
var stores = []string{"database", "db", "table", "postgres", "postgresql", "storage", "store", "system", "disk", "schema", "production", "prod", "primary"}

// said reports whether a message, in lower case, says that it was done with the record:
// the record itself, not something of it, and not in a cache, a cart or a queue.
func (d deed) said(msg string, n naming) bool {
	told := msg
	for _, v := range n.values {
		if v != "" {
			told = strings.ReplaceAll(told, strings.ToLower(v), "@")
		}
	}
	if !strings.Contains(told, "@") { // a field of the line names it
		at := d.alone.FindStringIndex(told)
		return at != nil && !slices.ContainsFunc(wordIn.FindAllString(told, -1), n.beside) && !d.isElsewhere(told[at[1]:], n)
	}
	for _, m := range d.before.FindAllStringSubmatchIndex(told, -1) {
		if n.plainGap(told[m[2]:m[3]]) && !d.isElsewhere(told[m[1]:], n) && !strings.HasPrefix(told[m[1]:], ".") && !n.besideNext(told[m[1]:]) {
			return true
		}
	}
	for _, m := range d.after.FindAllStringIndex(told, -1) {
		if n.plainSubject(told[:m[0]]) && !d.isElsewhere(told[m[1]:], n) {
			return true
		}
	}
	return false
}

// plainGap reports that nothing but the record's own noun stands between the verb and
// its name: "deleted order @", "removed 3 bookings: 17, @".
func (n naming) plainGap(gap string) bool {
	words := wordIn.FindAllString(gap, -1)
	nouns := 0
	for _, w := range words {
		name, field := strings.CutSuffix(w, "=")
		switch {
		case name == "with":
		case n.beside(name), slices.Contains(joining, name), strings.Contains(name, "/"):
			return false
		case field && !strings.HasSuffix(strings.TrimRight(name, "s"), "id") && !slices.Contains([]string{"key", "keys", "ref", "code", "number", "pk", "reference"}, name):
			return false
		case slices.Contains([]string{"the", "a", "an", "this", "id", "ids", "uuid", "no", "key", "and"}, name), field:
		default:
			nouns++
		}
	}
	return nouns <= 3
}

// plainSubject reports that the name before the verb is the subject: "order @", and
// not "cache entry of order @".
func (n naming) plainSubject(before string) bool {
	words := wordIn.FindAllString(before, -1)
	last := words[max(0, len(words)-3):]
	return !slices.ContainsFunc(last, func(w string) bool { return n.beside(w) || slices.Contains(joining, w) })
}

// beside reports a word for such a thing, unless the record's own table is named so.
func (n naming) beside(w string) bool {
	parts := strings.FieldsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' })
	return slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(besideRecord, p) && !n.isTable(p) })
}

// besideNext reports that the name belongs to another thing: "deleted @ cache",
// "removed @'s lock".
func (n naming) besideNext(after string) bool {
	after = strings.TrimPrefix(after, "'s")
	w := wordIn.FindString(after)
	return w != "" && strings.HasPrefix(after, " "+w) && n.beside(w)
}

// isElsewhere reports that what follows says where it was taken from, or put, and
// that this is not where records are.
func (d deed) isElsewhere(after string, n naming) bool {
	m := d.elsewhere.FindStringSubmatch(after)
	if m == nil || slices.Contains(stores, m[1]) || n.isTable(m[1]) {
		return false
	}
	return n.beside(m[1]) || strings.Contains(m[0], "from") && !strings.HasSuffix(m[1], "s") // tables are named in the plural
}
