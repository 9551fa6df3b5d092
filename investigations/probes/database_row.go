package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

func databaseRow() inv.Probe {
	return inv.Probe{
		ID: "database.row", Step: inv.StepDatabase, Phase: inv.PhaseRows, Title: "Row now",
		Asks:     "Is the row there now: by its key, without the index, as the application's role, or under a slightly different id?",
		Why:      "A row that is present, hidden by a flag or a policy, or spelt differently was never lost.",
		Negative: "Other databases and servers; tables that the role may not SELECT.",
		Needs:    "SELECT on the table; BYPASSRLS or ownership where it has row-level security",
		Timeout:  2 * time.Minute,
		Sends:    "for each table that can hold the id, in a read-only transaction:\nSELECT ctid, xmin, * FROM table WHERE key = $1   -- by the index\nSELECT ctid, xmin, * FROM table WHERE key = $1   -- by the heap, where the budget allows\nand, with --as, the same in the application's role",
		Collect:  collectRow,
		Read:     readRow,
	}
}

// rowAsk is one way of asking a table for the record.
type rowAsk struct {
	how   string // tag: key, heap, role, near
	table catalog.Table
	query sources.Query
}

func collectRow(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	seen := map[string]map[string]bool{} // tables with the row, by system identifier
	var without []rowLess
	for _, s := range standbysFirst(c, servers) {
		tables := closeTables(c, s.Source.Name())
		if len(tables) == 0 {
			c.Blind(s.Source.Name()+": no table with a key that the id fits is known", "name the table with --table")
		}
		hit, err := askFar(ctx, c, s, tables)
		if err != nil {
			return err
		}
		tables = append(tables, hit...)
		cluster := serverSays(c.Facts, s.Source.Name(), "system_identifier")
		if seen[cluster] == nil {
			seen[cluster] = map[string]bool{}
		}
		for _, t := range tables {
			found, err := askTable(ctx, c, s, t)
			if err != nil {
				return err
			}
			switch {
			case found:
				seen[cluster][t.DisplayName()] = true
			case serverSays(c.Facts, s.Source.Name(), "in_recovery") == "t":
				without = append(without, rowLess{s, t, cluster})
			}
		}
	}
	// A standby that was asked before the primary showed the row is asked once more:
	// the row may have come in between.
	for _, w := range without {
		if m, ok := ownKey(w.table); ok && seen[w.cluster][w.table.DisplayName()] {
			if _, err := askOne(ctx, c, w.server, rowAsk{"later", w.table, keyQuery(w.table, m)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowLess is a standby's table that did not show the row.
type rowLess struct {
	server  inv.Able[sources.Querier]
	table   catalog.Table
	cluster string
}

// askTable asks by key first; only a table that does not show the row is then
// searched without its index and for similar ids. It reports whether the key found
// the row.
func askTable(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table) (bool, error) {
	m, _ := ownKey(t)
	if err := askRekeyed(ctx, c, s, t, m); err != nil {
		return false, err
	}
	byKey, err := askOne(ctx, c, s, rowAsk{"key", t, keyQuery(t, m)})
	if err != nil || byKey == nil {
		return false, err
	}
	if len(byKey.Rows) > 0 {
		if c.Options.AppRole == "" {
			return true, nil
		}
		q := keyQuery(t, m)
		q.As, q.Settings, q.Note = c.Options.AppRole, c.Options.AppSettings, "the row as the application's role sees it"
		_, err = askOne(ctx, c, s, rowAsk{"role", t, q})
		return true, err
	}
	if err := askHeap(ctx, c, s, t, m); err != nil {
		return false, err
	}
	if err := askTwins(ctx, c, s, t, m); err != nil {
		return false, err
	}
	for _, q := range nearQueries(t, m) {
		if _, err := askOne(ctx, c, s, rowAsk{"near", t, q}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// askHeap asks without the index. A row that is found so is asked for by its key
// once more: it may have been committed in between.
func askHeap(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match) error {
	q := keyQuery(t, m)
	q.Scans, q.Note = true, "the row with index scans off"
	q.Settings = map[string]string{"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"}
	found, err := askOne(ctx, c, s, rowAsk{"heap", t, q})
	if err != nil || found == nil || len(found.Rows) == 0 {
		return err
	}
	_, err = askOne(ctx, c, s, rowAsk{"again", t, keyQuery(t, m)})
	return err
}

// askOne keeps the answer under a tag that names the way and the table. A nil
// table without an error means that the server could not answer.
func askOne(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], a rowAsk) (*sources.Table, error) {
	t, err := s.Ability.Query(ctx, a.query)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, s.Source.Name()+": "+a.table.DisplayName(), err)
		return nil, nil
	}
	return t, c.Keep(inv.EvidenceTable, s.Source.Name(), statement(a.query), a.how+":"+a.table.DisplayName(), t)
}

func keyQuery(t catalog.Table, m catalog.Match) sources.Query {
	where, args := t.KeyCondition(m)
	return sources.Query{
		SQL:  fmt.Sprintf("SELECT t.ctid::text AS \"%s\", t.xmin::text AS \"%s\", t.* FROM %s t WHERE %s LIMIT 20", colTID, colXmin, t.FullName(), where),
		Args: args, Note: "the row by its key", Settings: map[string]string{"enable_seqscan": "off"},
	}
}

// Names of the system columns in stored rows; they cannot clash with the table's.
const (
	colTID  = "inquest.ctid"
	colXmin = "inquest.xmin"
	colNear = "inquest.key"
)

// nearQueries ask for keys that equal the id once normalised, or differ in one
// character. Only single keys of text or uuid can be near.
func nearQueries(t catalog.Table, m catalog.Match) []sources.Query {
	if len(m.Parts) != 1 {
		return nil
	}
	col := t.Columns[m.Parts[0].AttNum-1]
	name, id := catalog.QuoteIdent(col.Name), m.Parts[0].Text
	select1 := fmt.Sprintf("SELECT t.%s::text AS \"%s\", t.* FROM ", name, colNear)
	note := "similar ids"
	typ, _, _ := strings.Cut(col.TypeName, "(")
	switch typ {
	case "uuid":
		variants := oneDigitOff(id)
		if variants == nil {
			return nil
		}
		return []sources.Query{{
			SQL:  fmt.Sprintf("%sunnest($1::uuid[]) AS v(id) JOIN %s t ON t.%s = v.id LIMIT 20", select1, t.FullName(), name),
			Args: []string{array(variants)}, Note: note, MaxRows: 20,
		}}
	case "text", "character varying", "varchar", "character", "bpchar", "citext":
		// By the index: the spellings that people and programs make of an id.
		spelt := sources.Query{
			SQL:  fmt.Sprintf("%s%s t WHERE t.%s = ANY ($1::%s[]) AND t.%s::text <> $2::text LIMIT 20", select1, t.FullName(), name, keyType(typ), name),
			Args: []string{textArray(respelt(id)), id}, Note: note, MaxRows: 20,
		}
		// Without it, where the budget allows: whatever is left once case, blanks, braces
		// and hyphens are gone.
		plain := sources.Query{
			SQL: fmt.Sprintf(`%[1]s%[2]s t
WHERE lower(translate(btrim(t.%[3]s::text), '{}- ', '')) = lower(translate(btrim($1::text), '{}- ', '')) AND t.%[3]s::text <> $1::text LIMIT 20`, select1, t.FullName(), name),
			Args: []string{id}, Scans: true, Note: note, MaxRows: 20,
		}
		return []sources.Query{spelt, plain}
	}
	return nil
}

// keyType is the type that a list of keys is compared as, so that the index serves.
func keyType(typ string) string {
	if typ == "character" || typ == "bpchar" {
		return "bpchar"
	}
	return "text"
}

// respelt lists the texts that an id may have been before somebody changed its
// case, took blanks or punctuation off, or mistyped one character of it.
func respelt(id string) []string {
	const longest = 64
	trimmed := strings.TrimSpace(id)
	out := []string{trimmed, strings.ToUpper(trimmed), strings.ToLower(trimmed), "{" + trimmed + "}", strings.Trim(trimmed, "{}"), strings.ReplaceAll(trimmed, "-", ""), strings.ReplaceAll(trimmed, "_", "-")}
	if len(trimmed) <= longest && len(trimmed) >= shortestRespelt {
		for _, s := range []string{trimmed, strings.ToUpper(trimmed), strings.ToLower(trimmed)} {
			out = append(out, oneCharOff(s)...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == id || s == "" })
}

// shortestRespelt is how long an id must be for one changed character to mean
// anything.
const shortestRespelt = 4

// oneCharOff lists the texts that differ in one digit or letter of the same case, or
// in two neighbours that changed places.
func oneCharOff(s string) []string {
	const digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var out []string
	for i := range len(s) {
		kind := ""
		for _, k := range []string{digits, lower, upper} {
			if strings.IndexByte(k, s[i]) >= 0 {
				kind = k
			}
		}
		others := kind
		switch s[i] {
		case '0':
			others += "Oo"
		case 'O', 'o':
			others += "0"
		case '1':
			others += "lI"
		case 'l', 'I':
			others += "1"
		}
		for j := range len(others) {
			if others[j] != s[i] {
				out = append(out, s[:i]+others[j:j+1]+s[i+1:])
			}
		}
		if i+1 < len(s) && s[i] != s[i+1] {
			out = append(out, s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:])
		}
	}
	return out
}

// textArray is a one-dimensional array of any texts in PostgreSQL's text form.
func textArray(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// oneDigitOff lists the 480 uuids that differ from id in one hexadecimal digit.
func oneDigitOff(id string) []string {
	h := strings.ToLower(bare(strings.TrimSpace(id)))
	if len(h) != 32 {
		return nil
	}
	const digits = "0123456789abcdef"
	var out []string
	for i := range h {
		for _, d := range digits {
			if byte(d) != h[i] {
				out = append(out, h[:i]+string(d)+h[i+1:])
			}
		}
	}
	return out
}

func readRow(in inv.Input) inv.Reading {
	var r inv.Reading
	looked, seen := 0, 0
	for _, e := range in.Evidence {
		if e.Kind == evidenceFar {
			facts := farFacts(e)
			looked += len(facts)
			r.Facts = append(r.Facts, facts...)
			continue
		}
		how, table, _ := strings.Cut(e.Tag, ":")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		facts := rowFacts(in, how, table, a)
		for _, f := range facts {
			if f.Kind != inv.RowAbsent && f.Kind != inv.TableProperty && f.Attr("found") != "false" {
				seen++
				r.Summary = joinLine(r.Summary, f.Says)
			}
		}
		r.Facts = append(r.Facts, facts...)
	}
	switch {
	case looked == 0:
		return inv.BlindReading(in.Blind)
	case seen > 0:
		r.Outcome = inv.Found
	default:
		r.Outcome = inv.Absent
		r.Summary = "not there: " + tablesAsked(in)
		if !inv.Facts(r.Facts).Any(inv.RowAbsent) {
			r.Outcome, r.Summary = inv.BlindOutcome, "row-level security may have hidden it from this role"
			r.Opens = "connect as the table's owner or a role with BYPASSRLS"
		}
	}
	return r
}

func tablesAsked(in inv.Input) string {
	var names []string
	ways := map[string]bool{}
	for _, e := range in.Evidence {
		how, table, _ := strings.Cut(e.Tag, ":")
		if how == "key" {
			names = append(names, table)
		}
		ways[how] = true
	}
	s := short(strings.Join(names, ", "), 120)
	if n := farAsked(in); n > 0 {
		s += " and " + plural(n, "more table")
	}
	s += ", by key"
	if ways["heap"] {
		s += ", without the index"
	}
	if ways["near"] {
		s += ", under similar ids"
	}
	return s
}

func rowFacts(in inv.Input, how, table string, a answer) []inv.Fact {
	base := func(kind inv.FactKind, says string, kv ...string) inv.Fact {
		f := inv.Fact{
			Kind: kind, Ground: inv.GroundTruth, Evidence: []string{a.evidence}, Time: a.at, Says: says,
			Attrs: map[string]string{"table": table, "server": a.source, "via": how},
		}
		for i := 0; i+1 < len(kv); i += 2 {
			f.Attrs[kv[i]] = kv[i+1]
		}
		return f
	}
	none := len(a.Rows) == 0
	switch how {
	case "key":
		if none && a.Filtered {
			return []inv.Fact{base(inv.TableProperty, "row-level security thins out what this role is shown of "+table, "name", "row-filtered", "value", "by key")}
		}
		if none {
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key")}
		}
		out := []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key", "xmin", a.Text(0, colXmin))}
		if column, value, ok := deletionMark(a, 0, marksOf(in, table)); ok {
			out = append(out, base(inv.RowFlagged, fmt.Sprintf("the row of %s has %s = %s", table, column, value), "column", column, "value", value))
		}
		return out
	case "heap":
		again, asked := askedAgain(in, table, a.source)
		switch {
		case none && a.Filtered:
		case none:
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key, with index scans off as well")}
		case !asked: // nothing tells whether it came in between
		case len(again.Rows) == 0:
			f := base(inv.IndexDisagrees, "the row of "+table+" is found without the index and, before and after, not with it", "index", "of its key")
			f.Evidence = append(f.Evidence, again.evidence)
			return []inv.Fact{f}
		default:
			return []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key; it was committed while it was looked for", "via", "key")}
		}
	case "rekeyed":
		return rekeyedFact(table, a, base)
	case "role":
		if !none {
			return []inv.Fact{base(inv.RowVisible, fmt.Sprintf("the role %s sees the row of %s", in.Settings.AppRole, table), "as", in.Settings.AppRole)}
		}
		if none {
			return []inv.Fact{base(inv.RowMasked, fmt.Sprintf("the role %s does not see the row of %s", in.Settings.AppRole, table), "as", in.Settings.AppRole)}
		}
	case "same-xact":
		return sameXactFacts(in, table, a, base)
	case "later":
		if none {
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key here, while another node of the cluster has it")}
		}
		return []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key; it came while it was looked for", "via", "key")}
	case "near":
		return nearFacts(in, table, a, base)
	default:
		if strings.HasPrefix(how, "twin[") {
			return twinFacts(how, table, a, in.Record.Values(), base)
		}
	}
	return nil
}

// askedAgain is the second answer by key, which follows a hit without the index.
func askedAgain(in inv.Input, table, server string) (answer, bool) {
	for _, a := range answers(in, "again:"+table) {
		if a.source == server {
			return a, true
		}
	}
	return answer{}, false
}

func nearFacts(in inv.Input, table string, a answer, base func(inv.FactKind, string, ...string) inv.Fact) []inv.Fact {
	var out []inv.Fact
	edits := 0
	for i := range a.Rows {
		key := a.Text(i, colNear)
		difference := differenceOf(key, in.Record.ID)
		if difference == "one-edit" {
			edits++
		}
		out = append(out, base(inv.RowNear, fmt.Sprintf("%s has a row with the id %q", table, key),
			"key", key, "difference", difference, "random", fmt.Sprint(isRandomUUID(in.Record.ID))))
	}
	const telling = 3
	if edits <= telling {
		return out
	}
	return filter(out, func(f inv.Fact) bool { return f.Attr("difference") != "one-edit" }) // ids that count up have such neighbours
}

// mixedCase reports letters of both cases: a text with one alone may have been
// folded on its way.
func mixedCase(s string) bool { return strings.ToUpper(s) != s && strings.ToLower(s) != s }

// differenceOf says in what a key differs from the asked id: normalised when they
// are the same but for case, blanks, braces or a uuid's hyphens; case when case may
// matter, as in two short codes of both cases; punctuation for hyphens that can matter,
// as in AB-12 and AB1-2; else one-edit.
func differenceOf(key, id string) string {
	k, asked := trimmed(key), trimmed(id)
	const long = 16
	switch {
	case k == asked:
		return "normalised"
	case strings.EqualFold(k, asked):
		if mixedCase(k) && mixedCase(asked) && len(k) < long {
			return "case"
		}
		return "normalised"
	case isUUID(id) && strings.EqualFold(bare(k), bare(asked)):
		return "normalised"
	case strings.EqualFold(bare(k), bare(asked)):
		return "punctuation"
	}
	return "one-edit"
}

// trimmed takes blanks, braces and quotes off the ends.
func trimmed(s string) string { return strings.Trim(strings.TrimSpace(s), " {}\"'") }

func isUUID(id string) bool {
	h := bare(trimmed(id))
	return len(h) == 32 && strings.Trim(strings.ToLower(h), "0123456789abcdef") == ""
}

// isRandomUUID reports whether an id is a uuid of version 4: two of them within one
// digit are one and the same by mistake. Ids of version 7 that are made in one
// millisecond may count up.
func isRandomUUID(id string) bool {
	h := strings.ToLower(bare(strings.TrimSpace(id)))
	if len(h) != 32 || h[12] != '4' || !strings.ContainsRune("89ab", rune(h[16])) {
		return false
	}
	distinct := map[rune]bool{}
	for _, c := range h {
		distinct[c] = true
	}
	return len(distinct) >= 8
}

// marksOf are the columns of a table that the catalogue probe took for deletion
// marks, by their names.
func marksOf(in inv.Input, table string) []string {
	for _, f := range in.Facts.Of(inv.TableProperty).With("table", table).With("name", "soft-delete") {
		return strings.Split(f.Attr("value"), ",")
	}
	return nil
}

// deletionMark finds a column of the row that marks it as removed.
func deletionMark(a answer, row int, marks []string) (column, value string, ok bool) {
	for _, name := range a.Columns {
		v, notNull := a.Cell(row, name)
		if !notNull {
			continue
		}
		switch {
		case slices.Contains(marks, name):
			if at, err := time.Parse("2006-01-02 15:04:05.999999999-07", v); err == nil && at.After(a.at) {
				continue // it will be removed, and is not yet
			}
			if v != "f" && v != "0" && v != "" && v != "N" && v != "n" && v != "false" {
				return name, v, true
			}
		case strings.EqualFold(name, "status") || strings.EqualFold(name, "state"):
			switch strings.ToLower(v) {
			case "deleted", "removed", "archived", "trashed", "discarded", "voided", "purged":
				return name, v, true
			}
		}
	}
	return "", "", false
}
