package wal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// skimDir is a folder that is searched where it lies, in pieces of one page: the finest there can be.
type skimDir struct {
	*wal.Dir
	piece   int64
	skims   int
	patched func(*wal.Skimmed)
}

func (d *skimDir) Skim(ctx context.Context, parts []wal.Stretch, patterns []wal.Pattern, heads bool) ([]wal.Skimmed, error) {
	d.skims++
	var out []wal.Skimmed
	for _, part := range parts {
		for at := part.From; at < part.To; at += d.piece {
			s := wal.Skimmed{Stretch: wal.Stretch{Segment: part.Segment, From: at, To: min(at+d.piece, part.To)}}
			before := min(s.From, wal.SkimBefore)
			b, err := d.ReadAt(ctx, part.Segment, s.From-before, int(s.To-s.From+before))
			if err != nil {
				return nil, err
			}
			s.Hit = slices.ContainsFunc(patterns, func(p wal.Pattern) bool { return p.In(b) })
			if heads {
				for p := before; p < int64(len(b)); p += wal.PageSize {
					s.Heads = append(s.Heads, b[max(p-wal.SkimBefore, 0):p+wal.SkimAfter]...)
				}
				s.Tail = slices.Clone(b[len(b)-wal.SkimBefore:])
			}
			if d.patched != nil {
				d.patched(&s)
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// plain is what two lineages must have in common, however much of the WAL was read for them.
func plain(t *testing.T, l *wal.Lineage) string {
	t.Helper()
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var c wal.Lineage
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	level(&c)
	b, _ = json.MarshalIndent(&c, "", " ")
	return string(b)
}

func level(l *wal.Lineage) {
	if l.Passed > 0 {
		l.Notes = l.Notes[:len(l.Notes)-1]
	}
	if len(l.Notes) == 0 {
		l.Notes = nil
	}
	l.Passed, l.Passes, l.Bytes, l.Records = 0, 0, 0, 0
	for _, b := range l.Branches {
		level(b.Lineage)
	}
}

// sameWhenSkimmed traces once more, by a source that says what need not be read, and compares.
func sameWhenSkimmed(t *testing.T, path string, opt wal.Options, l *wal.Lineage, targets ...wal.Target) (passed int64) {
	t.Helper()
	dir, err := wal.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	got, err := wal.Trace(t.Context(), &skimDir{Dir: dir, piece: wal.PageSize}, targets, opt)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(g wal.Gap) bool { return g.Reason != "segments missing" }
	if opt.MaxBytes > 0 || slices.ContainsFunc(l.Gaps, damaged) {
		return got.Passed // a limit reaches further, and damage inside what is passed over is not noticed
	}
	if g, w := plain(t, got), plain(t, l); g != w {
		if now := traceOnce(t, path, opt, targets...); plain(t, now) != w { // the server wrote on meanwhile
			return sameWhenSkimmed(t, path, opt, now, targets...)
		}
		t.Errorf("another answer when %d of the bytes are passed over\n%s", got.Passed, parting(g, w))
	}
	return got.Passed
}

// TestMostOfAQuietWALIsPassedOver is about little that happens to a table while much happens beside it.
func TestMostOfAQuietWALIsPassedOver(t *testing.T) {
	t.Parallel()
	for _, major := range []int{13, 15, 17, 18} {
		if !installed(major) {
			continue
		}
		d := start(t, pgserver.Config{Major: major, WALSegSizeMB: 1, Settings: map[string]string{"wal_keep_size": "1GB", "max_wal_size": "2GB", "checkpoint_timeout": "1h", "wal_level": "logical"}})
		d.exec("create table t (id uuid primary key, n int, note text)\ncreate table noise (n bigint, pad text)")
		tg := d.target("t", "id="+id1)
		noise := "insert into noise select g*1000003::bigint, md5(g::text)||md5((g+1)::text) from generate_series(1,20000) g"
		d.exec("select count(txid_current()) from generate_series(1,1)\n" + noise + "\n" + noise)
		d.exec(subst("insert into t values ('ID',1,'a'),('OTHER',2,'b')"))
		d.exec(noise + "\nupdate noise set n=n+1 where n%3000009=0\n" + noise)
		d.exec(subst("update t set n=5 where id='ID'\nbegin\nsavepoint a\nupdate t set note='c' where id='ID'"))
		execOn(t, d.session(), noise+"\n"+noise)
		d.exec("release a\ncommit\n" + noise + "\nvacuum full t\n" + noise + "\n" + noise)
		d.exec(subst("delete from t where id='ID'\n") + noise + "\n" + noise + "\ntruncate t\n" + noise + "\n" + noise)
		if err := d.s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.c = nil
		dir, err := wal.OpenDir(d.s.WALDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		want, err := wal.Trace(t.Context(), dir, []wal.Target{tg}, wal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := story(want); got == "" {
			t.Fatal("nothing found")
		}
		total := int64(want.Segments) << 20
		passed := sameWhenSkimmed(t, d.s.WALDir(), wal.Options{}, want, tg)
		t.Logf("%d: %d of %d bytes passed over; %s", major, passed, total, story(want))
		if passed < total/3 {
			t.Errorf("%d: only %d of %d bytes were passed over", major, passed, total)
		}
	}
}

// inOrder is a folder of which nothing is read before it is needed.
type inOrder struct {
	wal.Source
	wal.HistorySource
}

// sameInOrder traces once more without reading ahead, and compares.
func sameInOrder(t *testing.T, path string, opt wal.Options, l *wal.Lineage, targets ...wal.Target) {
	t.Helper()
	dir, err := wal.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	slow, err := wal.Trace(t.Context(), inOrder{dir, dir}, targets, opt)
	if err != nil {
		t.Fatal(err)
	}
	if g, w := stored(t, l), stored(t, slow); g != w {
		if now := traceOnce(t, path, opt, targets...); stored(t, now) != g { // the server wrote on meanwhile
			sameInOrder(t, path, opt, now, targets...)
			return
		}
		t.Errorf("another answer when pieces are read ahead\n%s", parting(g, w))
	}
}

func stored(t *testing.T, l *wal.Lineage) string {
	t.Helper()
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// parting shows where two texts part.
func parting(got, want string) string {
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	from := max(n-400, 0)
	return fmt.Sprintf(" got … %s\nwant … %s", got[from:min(n+400, len(got))], want[from:min(n+400, len(want))])
}
