package wal_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"inquest/sources/wal"
)

// The tables whose keys are traced. twin and twin2 are look-alikes of ti that share its keys.
var (
	tables     = []string{"tu", "ti", "tt", "tc", "par", "chi"}
	keyColumns = map[string][]string{"tu": {"id"}, "ti": {"id"}, "tt": {"id"}, "tc": {"p", "q"}, "par": {"id"}, "chi": {"id"}}
)

const worldDDL = `create table tu (id uuid primary key, a int, b text, c jsonb, e text unique)
	create index on tu(a)
	create table ti (id bigint primary key, a int, b text) with (fillfactor=70)
	create table tt (x int not null, id text primary key, b text)
	create table tc (p int, q int, b text, primary key (p,q))
	create table par (id uuid primary key, b text)
	create table chi (id uuid primary key, pid uuid references par on delete cascade, b text)
	create table twin (id bigint primary key, a int, b text)
	create table twin2 (id bigint primary key, a int, b text)`

type rowKey struct{ table, key string }

func (k rowKey) parts() []string { return strings.Split(k.key, ",") }
func (k rowKey) String() string  { return k.table + " " + k.key }

func (k rowKey) where() string {
	var out []string
	for i, c := range keyColumns[k.table] {
		out = append(out, fmt.Sprintf("%s='%s'", c, k.parts()[i]))
	}
	return strings.Join(out, " and ")
}

// world makes a random history and keeps what was really done to every key.
type world struct {
	d        *db
	seed     uint64
	rnd      *rand.Rand
	begin    wal.LSN
	truth    map[rowKey][]told
	order    []rowKey
	present  map[rowKey]string // committed rows; the parent's key of a child
	sessions []*session
	prepared []*session // prepared transactions, not connections
	n        int
}

// session is a connection and its open transaction.
type session struct {
	c       *pgx.Conn
	open    bool
	first   bool // the one that may touch parents and children
	xid     uint32
	gid     string
	ops     []opRef
	locked  map[rowKey]bool
	changes map[rowKey]change
	saves   []save
}

type opRef struct {
	k rowKey
	i int
}

type change struct {
	present bool
	parent  string
}

type save struct {
	ops     int
	changes map[rowKey]change
}

func newWorld(d *db, seed uint64) *world {
	w := &world{d: d, seed: seed, rnd: rand.New(rand.NewPCG(seed, 7)), truth: map[rowKey][]told{}, present: map[rowKey]string{}}
	d.exec("create extension if not exists pageinspect\ncheckpoint")
	w.begin = w.lsn()
	d.exec(worldDDL)
	for i := range 2 {
		w.sessions = append(w.sessions, &session{c: d.session(), first: i == 0})
	}
	return w
}

func (w *world) lsn() wal.LSN {
	l, err := wal.ParseLSN(w.d.text("select pg_current_wal_insert_lsn()::text"))
	if err != nil {
		w.d.t.Fatal(err)
	}
	return l
}

func (w *world) run(n int) {
	for done := 0; done < n; {
		s := w.sessions[w.rnd.IntN(2)]
		switch {
		case !s.open && w.rnd.IntN(12) == 0:
			w.maintain()
		case !s.open:
			w.open(s)
		case w.rnd.IntN(5) == 0:
			w.end(s)
			done++
		default:
			w.act(s)
		}
		if len(w.prepared) > 0 && w.rnd.IntN(6) == 0 {
			w.settle()
		}
	}
	w.quiet()
}

// quiet ends all that is open.
func (w *world) quiet() {
	for _, s := range w.sessions {
		if s.open {
			w.end(s)
		}
	}
	for len(w.prepared) > 0 {
		w.settle()
	}
}

func (w *world) exec(s *session, sql string) error {
	_, err := s.c.Exec(w.d.t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

func (w *world) must(s *session, sql string) {
	w.d.t.Helper()
	if err := w.exec(s, sql); err != nil {
		w.d.t.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) open(s *session) {
	w.must(s, "begin")
	s.open, s.ops, s.saves, s.changes, s.locked = true, nil, nil, map[rowKey]change{}, map[rowKey]bool{}
	if err := s.c.QueryRow(w.d.t.Context(), "select (txid_current() % 4294967296)::bigint").Scan(&s.xid); err != nil {
		w.d.t.Fatal(err)
	}
}

// has reports whether a session sees a row.
func (w *world) has(s *session, k rowKey) bool {
	if c, ok := s.changes[k]; ok {
		return c.present
	}
	_, ok := w.present[k]
	return ok
}

// free reports that no other open transaction works on the key.
func (w *world) free(s *session, k rowKey) bool {
	for _, o := range append(slices.Clone(w.sessions), w.prepared...) {
		if o == s {
			continue
		}
		if slices.ContainsFunc(o.ops, func(r opRef) bool { return r.k == k }) && (o.open || o.gid != "") || o.locked[k] {
			return false
		}
	}
	return true
}

func (w *world) note(s *session, k rowKey, kind string, at wal.LSN) {
	if len(w.truth[k]) == 0 {
		w.order = append(w.order, k)
	}
	w.truth[k] = append(w.truth[k], told{kind: kind, state: "committed", xid: s.xid, at: at})
	s.ops = append(s.ops, opRef{k, len(w.truth[k]) - 1})
}

func (w *world) undo(ops []opRef) {
	for _, o := range ops {
		w.truth[o.k][o.i].state = "aborted"
	}
}

func (w *world) table(s *session) string {
	n := len(tables)
	if !s.first {
		n -= 2
	}
	return tables[w.rnd.IntN(n)]
}

// rows returns the rows of a table that a session sees and may touch, in a fixed order.
func (w *world) rows(s *session, table string) []rowKey {
	var out []rowKey
	for k := range w.present {
		if k.table == table && w.has(s, k) && w.free(s, k) {
			out = append(out, k)
		}
	}
	for k, c := range s.changes {
		if _, ok := w.present[k]; k.table == table && c.present && !ok {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b rowKey) int { return strings.Compare(a.key, b.key) })
	return out
}

func (w *world) uuid() string {
	b := fmt.Sprintf("%016x%016x", w.rnd.Uint64(), w.rnd.Uint64())
	return b[:8] + "-" + b[8:12] + "-" + b[12:16] + "-" + b[16:20] + "-" + b[20:]
}

// newKey makes a key, or takes one that was in use before.
func (w *world) newKey(s *session, table string) (rowKey, bool) {
	k := rowKey{table: table}
	switch table {
	case "ti":
		k.key = fmt.Sprint(1 + w.rnd.IntN(600))
	case "tt":
		k.key = fmt.Sprintf("BK-%c%c%03d-X", 'A'+w.rnd.IntN(3), 'A'+w.rnd.IntN(3), w.rnd.IntN(1000))
	case "tc":
		k.key = fmt.Sprintf("%d,%d", 1+w.rnd.IntN(20), 1+w.rnd.IntN(60))
	default:
		k.key = w.uuid()
	}
	if w.rnd.IntN(3) == 0 {
		var used []rowKey
		for _, o := range w.order {
			if o.table == table {
				used = append(used, o)
			}
		}
		if len(used) > 0 {
			k = used[w.rnd.IntN(len(used))]
		}
	}
	return k, !w.has(s, k) && w.free(s, k)
}

func (w *world) filler() string { return strings.Repeat("x", w.rnd.IntN(300)) }

// insertSQL returns the statement and the parent's key.
func (w *world) insertSQL(s *session, k rowKey) (sql, parent string) {
	switch k.table {
	case "tu":
		w.n++
		return fmt.Sprintf("insert into tu values ('%s',%d,'%s','{\"k\":1}','e%d')", k.key, w.rnd.IntN(99), w.filler(), w.n), ""
	case "ti":
		return fmt.Sprintf("insert into ti values (%s,%d,'%s')", k.key, w.rnd.IntN(99), w.filler()), ""
	case "tt":
		return fmt.Sprintf("insert into tt values (%d,'%s','%s')", w.rnd.IntN(99), k.key, w.filler()), ""
	case "tc":
		return fmt.Sprintf("insert into tc values (%s,'%s')", k.key, w.filler()), ""
	case "par":
		return fmt.Sprintf("insert into par values ('%s','%s')", k.key, w.filler()), ""
	}
	parents := w.rows(s, "par")
	if len(parents) == 0 {
		return "", ""
	}
	parent = parents[w.rnd.IntN(len(parents))].key
	return fmt.Sprintf("insert into chi values ('%s','%s','%s')", k.key, parent, w.filler()), parent
}

// act does one random thing in an open transaction.
func (w *world) act(s *session) {
	table := w.table(s)
	switch w.rnd.IntN(24) {
	case 0, 1, 2, 3, 4, 5:
		w.insert(s, table)
	case 6, 7, 8, 9:
		w.update(s, table)
	case 10, 11, 12:
		w.remove(s, table)
	case 13:
		w.rekey(s, table)
	case 14:
		w.must(s, fmt.Sprintf("savepoint s%d", len(s.saves)))
		s.saves = append(s.saves, save{len(s.ops), maps.Clone(s.changes)})
	case 15:
		w.unsave(s)
	case 16:
		w.copyIn(s, table)
	case 17:
		w.duplicate(s, table)
	case 18:
		if rows := w.rows(s, table); len(rows) > 0 {
			mode := []string{"update", "no key update", "share", "key share"}[w.rnd.IntN(4)]
			k := rows[w.rnd.IntN(len(rows))]
			s.locked[k] = true
			w.must(s, fmt.Sprintf("select 1 from %s where %s for %s", table, k.where(), mode))
		}
	case 20, 21, 22:
		w.follow(s, table)
	case 23:
		w.swap(s, table)
	case 19:
		if !s.first {
			return // a prepared transaction would keep its rows locked
		}
		id := 1 + w.rnd.IntN(600)
		w.must(s, fmt.Sprintf("insert into twin values (%d,1,'%s') on conflict (id) do update set b='%s'", id, w.filler(), w.filler()))
		w.must(s, fmt.Sprintf("delete from twin where id=%d", 1+w.rnd.IntN(600)))
	}
}

func (w *world) insert(s *session, table string) {
	k, ok := w.newKey(s, table)
	if !ok {
		return
	}
	sql, parent := w.insertSQL(s, k)
	if sql == "" {
		return
	}
	if w.rnd.IntN(8) == 0 {
		sql += " on conflict do nothing"
	}
	at := w.lsn()
	w.must(s, sql)
	w.note(s, k, "insert", at)
	s.changes[k] = change{true, parent}
}

func (w *world) update(s *session, table string) {
	rows := w.rows(s, table)
	if len(rows) == 0 {
		return
	}
	k := rows[w.rnd.IntN(len(rows))]
	set := "b=b||'u'"
	switch r := w.rnd.IntN(6); {
	case r == 0:
		set = fmt.Sprintf("b=repeat('z',%d)", w.rnd.IntN(2000))
	case r < 3 && (table == "tu" || table == "ti"):
		set = "a=a+1"
	case r == 3 && table == "tu":
		w.n++
		set = fmt.Sprintf("e='f%d'", w.n)
	case r == 4:
		set = "b='short'"
	}
	at := w.lsn()
	w.must(s, fmt.Sprintf("update %s set %s where %s", table, set, k.where()))
	w.note(s, k, "update", at)
	if c, ok := s.changes[k]; ok {
		s.changes[k] = c
	} else {
		s.changes[k] = change{true, w.present[k]}
	}
}

func (w *world) remove(s *session, table string) {
	rows := w.rows(s, table)
	if len(rows) == 0 {
		return
	}
	k := rows[w.rnd.IntN(len(rows))]
	at := w.lsn()
	w.must(s, fmt.Sprintf("delete from %s where %s", table, k.where()))
	w.note(s, k, "delete", at)
	s.changes[k] = change{}
	if table != "par" {
		return
	}
	for _, c := range w.rows(s, "chi") {
		parent := w.present[c]
		if own, ok := s.changes[c]; ok {
			parent = own.parent
		}
		if parent == k.key {
			w.note(s, c, "delete", at)
			s.changes[c] = change{}
		}
	}
}

func (w *world) rekey(s *session, table string) {
	rows := w.rows(s, table)
	to, ok := w.newKey(s, table)
	if len(rows) == 0 || !ok || table == "par" || table == "chi" {
		return
	}
	w.rekeyTo(s, rows[w.rnd.IntN(len(rows))], to)
}

// swap gives two rows each other's key.
func (w *world) swap(s *session, table string) {
	rows := w.rows(s, table)
	other, ok := w.newKey(s, table)
	if len(rows) < 2 || !ok || table == "par" || table == "chi" {
		return
	}
	i := w.rnd.IntN(len(rows) - 1)
	w.rekeyTo(s, rows[i], other)
	w.rekeyTo(s, rows[i+1], rows[i])
	w.rekeyTo(s, other, rows[i+1])
}

// follow changes the key of a row again whose key was changed before.
func (w *world) follow(s *session, table string) {
	rows := slices.DeleteFunc(w.rows(s, table), func(k rowKey) bool {
		return !slices.ContainsFunc(w.truth[k], func(t told) bool { return t.kind == "from" })
	})
	if to, ok := w.newKey(s, table); ok && len(rows) > 0 {
		w.rekeyTo(s, rows[w.rnd.IntN(len(rows))], to)
	}
}

func (w *world) rekeyTo(s *session, from, to rowKey) {
	set := fmt.Sprintf("id='%s'", to.key)
	if to.table == "tc" {
		set = fmt.Sprintf("p=%s,q=%s", to.parts()[0], to.parts()[1])
	}
	at := w.lsn()
	w.must(s, fmt.Sprintf("update %s set %s where %s", to.table, set, from.where()))
	w.note(s, from, "to", at)
	w.truth[from][len(w.truth[from])-1].next = to
	w.note(s, to, "from", at)
	s.changes[from], s.changes[to] = change{}, change{true, ""}
}

func (w *world) unsave(s *session) {
	n := len(s.saves) - 1
	if n < 0 {
		return
	}
	if w.rnd.IntN(2) == 0 {
		w.must(s, fmt.Sprintf("release s%d", n))
	} else {
		w.rollbackTo(s, n)
	}
	s.saves = s.saves[:n]
}

func (w *world) rollbackTo(s *session, n int) {
	w.must(s, fmt.Sprintf("rollback to s%d", n))
	w.undo(s.ops[s.saves[n].ops:])
	s.changes = maps.Clone(s.saves[n].changes)
}

// copyIn loads rows by COPY, which writes them in one record.
func (w *world) copyIn(s *session, table string) {
	if table == "chi" || table == "tu" || table == "par" {
		return
	}
	var rows [][]any
	var keys []rowKey
	for range 1 + w.rnd.IntN(8) {
		k, ok := w.newKey(s, table)
		if !ok || slices.Contains(keys, k) {
			continue
		}
		keys = append(keys, k)
		switch table {
		case "ti":
			rows = append(rows, []any{num(k.key), w.rnd.IntN(99), w.filler()})
		case "tt":
			rows = append(rows, []any{w.rnd.IntN(99), k.key, w.filler()})
		case "tc":
			rows = append(rows, []any{num(k.parts()[0]), num(k.parts()[1]), w.filler()})
		}
	}
	cols := map[string][]string{"ti": {"id", "a", "b"}, "tt": {"x", "id", "b"}, "tc": {"p", "q", "b"}}[table]
	at := w.lsn()
	if _, err := s.c.CopyFrom(w.d.t.Context(), pgx.Identifier{table}, cols, pgx.CopyFromRows(rows)); err != nil {
		w.d.t.Fatal(err)
	}
	for _, k := range keys {
		w.note(s, k, "insert", at)
		s.changes[k] = change{present: true}
	}
}

func num(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// duplicate runs into the primary key: the row is written, its index entry is not, and the (sub)transaction fails.
func (w *world) duplicate(s *session, table string) {
	rows := w.rows(s, table)
	if len(rows) == 0 || table == "chi" {
		return
	}
	k := rows[w.rnd.IntN(len(rows))]
	sql, _ := w.insertSQL(s, k)
	sp := w.rnd.IntN(2) == 0
	if sp {
		w.must(s, "savepoint d")
	}
	at := w.lsn()
	if err := w.exec(s, sql); err == nil {
		w.d.t.Fatalf("%s went through", sql)
	}
	w.note(s, k, "insert", at)
	w.undo(s.ops[len(s.ops)-1:])
	if sp {
		w.must(s, "rollback to d; release d")
		return
	}
	w.must(s, "rollback")
	w.close(s, false)
}

func (w *world) close(s *session, committed bool) {
	if committed {
		for k, c := range s.changes {
			if c.present {
				w.present[k] = c.parent
			} else {
				delete(w.present, k)
			}
		}
	} else {
		w.undo(s.ops)
	}
	s.open, s.ops, s.changes, s.saves, s.locked, s.gid = false, nil, nil, nil, nil, ""
}

func (w *world) end(s *session) {
	switch w.rnd.IntN(12) {
	case 0, 1, 2:
		w.must(s, "rollback")
		w.close(s, false)
	case 3:
		if w.exec(s, "select 1/0") == nil {
			w.d.t.Fatal("1/0")
		}
		w.must(s, "commit")
		w.close(s, false)
	case 4:
		if s.first { // parents and children stay with one session
			w.must(s, "commit")
			w.close(s, true)
			return
		}
		w.n++
		p := *s
		p.gid = fmt.Sprintf("g%d", w.n)
		w.must(s, fmt.Sprintf("prepare transaction '%s'", p.gid))
		w.prepared = append(w.prepared, &p)
		s.open, s.ops, s.changes, s.saves, s.locked = false, nil, nil, nil, nil
	default:
		w.must(s, "commit")
		w.close(s, true)
	}
}

// settle ends the oldest prepared transaction.
func (w *world) settle() {
	p := w.prepared[0]
	verb, committed := "commit", w.rnd.IntN(2) == 0
	if !committed {
		verb = "rollback"
	}
	w.d.exec(fmt.Sprintf("%s prepared '%s'", verb, p.gid))
	w.close(p, committed)
	w.prepared = w.prepared[1:]
}

// maintain does what happens to tables beside the application.
func (w *world) maintain() {
	t := tables[w.rnd.IntN(len(tables))]
	switch n := w.rnd.IntN(16); n {
	case 0, 1, 2:
		w.d.exec("checkpoint")
	case 3, 4, 5:
		w.d.exec("vacuum " + t)
	case 6, 7, 8:
		w.d.exec("select count(*) from " + t + "\nset enable_seqscan=off\nselect count(b) from " + t + "\nreset enable_seqscan")
	case 9:
		w.d.exec("analyze " + t)
	case 10:
		w.d.exec("vacuum (freeze) " + t)
	default:
		w.quiet()
		w.d.exec([]string{
			"vacuum full " + t,
			"reindex table " + t,
			"begin\nlock table ti in access exclusive mode\ntruncate twin\ninsert into twin select id*2, 1, 'y' from ti\ncommit",
			"begin\ntruncate twin, twin2\ninsert into twin2 select id, 2, 'z' from ti\ncommit",
			"begin\nalter table ti alter b type varchar using b||''\nalter table twin alter b type varchar using b||''\nalter table ti alter b type text using b||''\ncommit",
		}[n-11])
	}
}
