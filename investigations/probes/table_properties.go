package probes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources/catalog"
)

func property(evidence, table, name, value, says string) inv.Fact {
	return inv.Fact{
		Kind: inv.TableProperty, Ground: inv.GroundTruth, Evidence: []string{evidence},
		Attrs: map[string]string{"table": table, "name": name, "value": value}, Says: says,
	}
}

// propertyOn is a property of the server that gave the answer.
func propertyOn(a answer, table, name, value, says string) inv.Fact {
	f := property(a.evidence, table, name, value, says)
	f.Attrs["server"] = a.source
	return f
}

// tableFacts states what the catalogue says of one table with a key that the id
// fits: what it is, and what can make a row of it vanish.
type tableFacts struct {
	table    catalog.Table
	match    catalog.Match
	evidence string
	server   string
}

func (t tableFacts) all() []inv.Fact {
	out := []inv.Fact{t.candidate()}
	out = append(out, t.storage()...)
	out = append(out, t.triggers()...)
	out = append(out, t.rules()...)
	out = append(out, t.parents()...)
	if p := t.table.RLS; p.Enabled {
		f := t.fact("row-security", "on", "%s has row-level security: %s", t.name(), t.policies())
		f.Attrs["policies"] = t.policies()
		out = append(out, f)
	}
	if len(t.table.SoftDelete) > 0 {
		marks := strings.Join(t.table.SoftDelete, ",")
		out = append(out, t.fact("soft-delete", marks, "%s has columns that look like a deletion mark: %s", t.name(), marks))
	}
	return out
}

func (t tableFacts) name() string { return t.table.DisplayName() }

func (t tableFacts) fact(name, value, format string, args ...any) inv.Fact {
	f := property(t.evidence, t.name(), name, value, fmt.Sprintf(format, args...))
	f.Attrs["server"] = t.server
	return f
}

// candidate says how the id fits: as a whole key, as a part of one, or as a
// reference to another table's row.
func (t tableFacts) candidate() inv.Fact {
	how := "part"
	switch {
	case t.match.Primary:
		how = "primary"
	case t.match.Unique:
		how = "unique"
	}
	f := t.fact("candidate", how, "%s has a key that the id fits (%s: %s)", t.name(), how, strings.Join(t.match.Columns, ", "))
	f.Attrs["columns"] = strings.Join(t.match.Columns, ",")
	f.Attrs["fields"] = strings.Join(t.fields(), ",")
	f.Attrs["history"] = t.table.History
	f.Attrs["partitioned"] = fmt.Sprint(t.table.Kind == "p")
	f.Attrs["rls"] = map[bool]string{true: "on", false: "off"}[t.table.RLS.Enabled]
	f.Attrs["cascades"] = "none"
	for _, fk := range t.table.Parents {
		if fk.Level == 1 && slices.Equal(fk.Columns, t.match.Columns) {
			f.Attrs["refers"] = plainName(fk.Parent)
		}
		if fk.OnDelete == "c" {
			f.Attrs["cascades"] = "some"
		}
	}
	return f
}

// fields are the names of the live columns.
func (t tableFacts) fields() []string {
	var out []string
	for _, c := range t.table.Columns {
		if !c.Dropped {
			out = append(out, c.Name)
		}
	}
	return out
}

// plainName takes the quotes off a name as regclass prints it.
func plainName(s string) string { return strings.ReplaceAll(s, `"`, "") }

func (t tableFacts) storage() []inv.Fact {
	var out []inv.Fact
	persistence := map[string]string{"u": "unlogged", "t": "temporary"}[t.table.Persistence]
	stored, unlogged := t.table.Stored(), 0
	for _, s := range stored {
		if s.Persistence == "u" {
			unlogged++
		}
	}
	switch {
	case persistence == "" && unlogged > 0 && unlogged == len(stored):
		out = append(out, t.fact("persistence", "unlogged", "every partition of %s is unlogged: a crash empties them", t.name()))
	case persistence == "" && unlogged > 0:
		out = append(out, t.fact("persistence", "partly-unlogged", "%d of the %d partitions of %s are unlogged: their rows leave no WAL, and a crash empties them", unlogged, len(stored), t.name()))
	case persistence == "":
		out = append(out, t.fact("persistence", "permanent", "%s is a permanent table", t.name()))
	default:
		out = append(out, t.fact("persistence", persistence, "%s is %s: a crash empties it", t.name(), persistence))
	}
	for _, s := range stored {
		if s.File.DB != 0 {
			path := fmt.Sprintf("base/%d/%d", s.File.DB, s.File.Rel)
			out = append(out, t.fact("file", path, "%s is stored in %s", s.DisplayName(), path))
		}
		if s.OID != t.table.OID {
			p := property(t.evidence, s.DisplayName(), "partition", t.name(), s.DisplayName()+" is a partition of "+t.name())
			p.Attrs["server"] = t.server
			out = append(out, p)
		}
	}
	if t.table.Rewritten {
		out = append(out, t.fact("rewritten", "true", "%s is not in its first file: it was truncated or rewritten at some time", t.name()))
	}
	return out
}

func (t tableFacts) triggers() []inv.Fact {
	var out []inv.Fact
	for _, g := range t.table.Triggers {
		if g.Enabled != "D" && g.Swallows && g.Insert && g.Row && g.Timing != "after" {
			out = append(out, t.fact("swallows", g.Name, "trigger %s on %s can return NULL and so drop an insert without an error", g.Name, t.name()))
		}
	}
	return out
}

func (t tableFacts) rules() []inv.Fact {
	var out []inv.Fact
	for _, r := range t.table.Rules {
		if r.Instead && r.Event == "insert" && r.Enabled != "D" {
			out = append(out, t.fact("swallows", r.Name, "rule %s on %s replaces inserts", r.Name, t.name()))
		}
	}
	return out
}

func (t tableFacts) parents() []inv.Fact {
	var out []inv.Fact
	for _, fk := range t.table.Parents {
		if fk.OnDelete == "c" {
			f := t.fact("cascade", fk.Name, "deleting from %s cascades to %s (%s)", plainName(fk.Parent), plainName(fk.Child), fk.Name)
			f.Attrs["parent"] = plainName(fk.Parent)
			out = append(out, f)
		}
	}
	return out
}

func (t tableFacts) policies() string {
	var out []string
	for _, p := range t.table.Policies {
		if p.Command == "r" || p.Command == "*" {
			out = append(out, p.Name+" "+p.Using)
		}
	}
	return orElse(short(strings.Join(out, "; "), 200), "no policy for reading, which hides every row")
}

// ownFacts are the tables that can hold the record as a row of their own.
func ownFacts(stored []candidates) []tableFacts {
	var all []tableFacts
	for _, found := range stored {
		for _, t := range found.Tables {
			if m, ok := ownKey(t); ok {
				all = append(all, tableFacts{t, m, found.evidence, found.Server})
			}
		}
	}
	return all
}

// besideFacts are those that need more than one table: triggers elsewhere,
// namesakes in other schemas, and former partitions.
func besideFacts(in inv.Input, stored []candidates) []inv.Fact {
	all := ownFacts(stored)
	var out []inv.Fact
	triggers, paths := answers(in, "triggers"), map[string][]string{}
	for _, t := range all {
		out = append(out, t.firedFrom(triggers)...)
		if _, ok := paths[t.server]; !ok {
			paths[t.server] = searchPath(in, t.server)
		}
		for _, o := range all {
			if o.server != t.server || o.table.OID == t.table.OID {
				continue
			}
			if f, ok := t.formerPartOf(o); ok {
				out = append(out, f)
			}
			if f, ok := t.namesake(o, paths[t.server]); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// firedFrom are the triggers of any table whose code deletes from this one. Code
// that builds its statements counts only when it names the table.
func (t tableFacts) firedFrom(list []answer) []inv.Fact {
	var out []inv.Fact
	dynamic := false
	for _, a := range list {
		if a.source != t.server {
			continue
		}
		for i := range a.Rows {
			dynamic = dynamic || executes.MatchString(a.Text(i, "code"))
			if !removesFrom(a.Text(i, "code"), t.table.Schema, t.table.Name) {
				continue
			}
			on := a.Text(i, "on_table")
			f := t.fact("trigger-deletes", a.Text(i, "name"), "trigger %s on %s runs %s, whose code deletes from %s", a.Text(i, "name"), on, a.Text(i, "function"), t.name())
			f.Evidence = append(f.Evidence, a.evidence)
			f.Attrs["on"] = on
			for _, event := range []string{"insert", "update", "delete"} {
				f.Attrs[event] = fmt.Sprint(a.Text(i, event) == "t")
			}
			out = append(out, f)
		}
		if len(out) == 0 && !dynamic && len(a.Rows) < 200 {
			f := t.fact("no-trigger-deletes", "true", "no trigger of the database runs code that deletes from %s", t.name())
			f.Evidence = []string{a.evidence}
			out = append(out, f)
		}
	}
	return out
}

// datedSuffix is how parts of a table that are made by hand are named for their time.
var datedSuffix = regexp.MustCompile(`^_?(?:p|part|y|m|w)?_?\d[\d_]*$`)

// formerPartOf tells a detached partition: an ordinary table with the columns of
// a partitioned one, a key, and a name that begins with the other's. It may have
// been moved to another schema, such as one for what is archived; and a part that was
// made by hand, by inheritance or as an archive of a year, is told by its date.
func (t tableFacts) formerPartOf(o tableFacts) (inv.Fact, bool) {
	moved := t.table.Schema != o.table.Schema
	part := t.table.Kind == "r" && t.table.Partition == nil && (t.table.History == "" || moved && t.table.History == catalog.HistoryBySchema) && t.table.Name != o.table.Name && len(t.table.PrimaryKey) > 0
	dated := o.table.Kind == "r" && len(o.table.PrimaryKey) > 0 && datedSuffix.MatchString(strings.TrimPrefix(t.table.Name, o.table.Name)) && strings.HasPrefix(t.table.Name, o.table.Name)
	if !part || o.table.Kind != "p" && !dated || !strings.HasPrefix(t.table.Name, strings.TrimSuffix(o.table.Name, "s")) || !sameColumns(t.table, o.table) {
		return inv.Fact{}, false
	}
	return t.fact("lookalike", o.name(), "%s has the columns and key of %s and is named like a partition of it, but is none now", t.name(), o.name()), true
}

func sameColumns(a, b catalog.Table) bool {
	live := func(t catalog.Table) map[string]string {
		out := map[string]string{}
		for _, c := range t.Columns {
			if !c.Dropped {
				out[c.Name] = c.TypeName
			}
		}
		return out
	}
	x, y := live(a), live(b)
	for name, typ := range x {
		if y[name] != typ {
			return false
		}
	}
	return len(x) == len(y)
}

// namesake tells that the application's search path leads to a table of the same
// name in another schema.
func (t tableFacts) namesake(o tableFacts, path []string) (inv.Fact, bool) {
	if !strings.EqualFold(t.table.Name, o.table.Name) || !sameColumns(t.table, o.table) {
		return inv.Fact{}, false
	}
	for _, schema := range path {
		switch schema {
		case t.table.Schema:
			return inv.Fact{}, false
		case o.table.Schema:
			return t.fact("resolves-elsewhere", o.name(), "its search path (%s) leads to %s", strings.Join(path, ", "), o.name()), true
		}
	}
	return inv.Fact{}, false
}

// searchPath is the path of the application's role where that is known and set,
// else of the database, else PostgreSQL's default.
func searchPath(in inv.Input, server string) []string {
	role := in.Settings.AppRole
	best, rank := `"$user", public`, 0
	for _, f := range in.Facts.Of(inv.Setting).With("name", "search_path").With("server", server) {
		scope, r := f.Attr("scope"), 0
		switch {
		case role != "" && strings.Contains(scope, "role "+role+" database"):
			r = 3
		case role != "" && strings.HasSuffix(scope, "role "+role):
			r = 2
		case strings.HasPrefix(scope, "set for  database") || strings.HasPrefix(scope, "set for database"):
			r = 1
		}
		if r > rank {
			best, rank = f.Attr("value"), r
		}
	}
	var out []string
	for s := range strings.SplitSeq(best, ",") {
		s = strings.Trim(strings.TrimSpace(s), `"`)
		if s == "$user" {
			s = role
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
