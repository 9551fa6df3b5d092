package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"inquest/sources/wal"
)

const (
	skimPiece = 256 << 10 // bytes of WAL that one row of an answer is about
	skimShare = 16 << 20  // bytes of WAL that one statement looks through
	// skimSlower is how much slower than reading a search may be: what is read has to be gone through and kept as well.
	skimSlower = 0.5
	skimBlock  = 64 << 10 // what is read beside it is kept in blocks of this size
)

// likeSQL searches as the server can: byte strings with gaps are patterns of LIKE. A row is one piece of a segment, from 24 bytes before it on.
const likeSQL = `select g.n, g.o, exists (select from unnest($4::bytea[]) k(p) where r.c like k.p) as hit,
 case when $6::boolean then (select string_agg(substring(r.c from h.at for 88), ''::bytea order by h.at) from generate_series(case when g.o = 0 then -23 else 1 end, length(r.c) - 24, 8192) h(at)) end as heads,
 case when $6::boolean then substring(r.c from length(r.c) - 23) end as tail, length(r.c) as got
from (select s.n, o, s.name, least(s.upto - o, $5::bigint) as size from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality s(name, since, upto, n), generate_series(s.since, s.upto - 1, $5::bigint) o) g
cross join lateral (select %s as c offset 0) r`

// Skim implements wal.Skimmer by searching on the server. It looks only while that is not much slower than reading the WAL over this connection
// would be, and while the budget of WAL would allow to read all of it afterwards; it leaves out what it did not look at.
func (w *WALSource) Skim(ctx context.Context, parts []wal.Stretch, patterns []wal.Pattern, heads bool) ([]wal.Skimmed, error) {
	if w.skimOff {
		return nil, nil
	}
	if err := w.sample(ctx); err != nil {
		return nil, err
	}
	likes := make([]string, len(patterns))
	for i, p := range patterns {
		likes[i] = likeBytes(p)
	}
	var out []wal.Skimmed
	for len(parts) > 0 {
		var share []wal.Stretch
		for size := int64(0); len(parts) > 0 && size < skimShare; {
			part := parts[0]
			if room := (skimShare - size + skimPiece - 1) / skimPiece * skimPiece; part.To-part.From > room {
				part.To = part.From + room
				parts[0].From = part.To
			} else {
				parts = parts[1:]
			}
			share = append(share, part)
			size += part.To - part.From
		}
		found, err := w.skimSome(ctx, share, likes, heads)
		if err != nil || found == nil {
			w.skimOff = true
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// sample reads the beginning of the oldest WAL, which is wanted in any case, to see how fast this connection is.
func (w *WALSource) sample(ctx context.Context) error {
	w.skimmed = true
	if w.readRate > 0 || len(w.segments) == 0 {
		return nil
	}
	g := w.segments[0]
	end := g.Size
	if g.Avail > 0 {
		end = min(end, g.Avail)
	}
	for off := int64(0); off < min(end, walFirst); off += walChunk {
		start := time.Now()
		b, err := w.blocks(ctx, g, off, min(off+walChunk, end), end)
		if err != nil {
			return err
		}
		w.readRate = float64(len(b)) / max(time.Since(start).Seconds(), 1e-6)
	}
	return nil
}

// likeBytes is a pattern of LIKE that finds a byte string anywhere, as a literal of bytea.
func likeBytes(p wal.Pattern) string {
	b := []byte{'%'}
	for i, c := range p.Bytes {
		switch {
		case p.Any>>i&1 != 0:
			c = '_'
		case c == '%' || c == '_' || c == '\\':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return `\x` + hex.EncodeToString(append(b, '%'))
}

// skimSome looks through a share; nil without an error when it is not worth it.
func (w *WALSource) skimSome(ctx context.Context, share []wal.Stretch, likes []string, heads bool) ([]wal.Skimmed, error) {
	var names, from, upto []string
	size := int64(0)
	for _, p := range share {
		names = append(names, p.Segment.Name)
		from, upto = append(from, strconv.FormatInt(p.From, 10)), append(upto, strconv.FormatInt(p.To, 10))
		size += p.To - p.From
	}
	if left := w.s.walLeft(); left >= 0 && left < w.listed+size {
		return nil, nil
	}
	if err := w.s.spendWAL(size); err != nil {
		return nil, err
	}
	var out []wal.Skimmed
	start := time.Now()
	job := work{note: "where the WAL holds something of the table", timeout: walTimeout, free: true}
	err := w.s.within(ctx, job, func(ctx context.Context, t *tx) error {
		args := []string{textArray(names), textArray(from), textArray(upto), textArray(likes), strconv.Itoa(skimPiece), strconv.FormatBool(heads)}
		read := w.facts.readWALFile("g.name", "greatest(g.o - 24, 0)", "g.size + least(g.o, 24)")
		_, err := t.stream(ctx, fmt.Sprintf(likeSQL, read), args, true, func(row [][]byte) error {
			i, at := int(intOf(row[0]))-1, int64(intOf(row[1]))
			if i < 0 || i >= len(share) {
				return errors.New("search WAL: an answer of another shape")
			}
			s := wal.Skimmed{Stretch: wal.Stretch{Segment: share[i].Segment, From: at, To: min(at+skimPiece, share[i].To)}, Hit: len(row[2]) != 1 || row[2][0] != 0}
			if int64(intOf(row[5])) == s.To-s.From+min(at, wal.SkimBefore) { // else the file was taken away meanwhile
				s.Heads, s.Tail = slices.Clone(row[3]), slices.Clone(row[4])
				out = append(out, s)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, w.s.blindFor(ctx, job, err)
	}
	took := time.Since(start).Seconds()
	if w.readRate > 0 && !w.skimAlways && float64(size)/max(took, 1e-6) < w.readRate*skimSlower {
		w.skimOff = true // what was found so far counts
	}
	return out, nil
}

// blocks reads from what was kept block by block, and fetches what is missing: nothing travels twice, however the pieces asked for overlap.
func (w *WALSource) blocks(ctx context.Context, seg wal.Segment, off, want, end int64) ([]byte, error) {
	if at := seg.Start + wal.LSN(off); at != w.lastEnd {
		w.inOrder = 0
	}
	w.inOrder += want - off
	w.lastEnd = seg.Start + wal.LSN(want)
	first, last := off/skimBlock, (want-1)/skimBlock
	if w.block == nil {
		w.block = map[blockKey]window{}
	}
	for i := first; i <= last; i++ {
		if _, ok := w.block[blockKey{seg.Start, i}]; ok {
			continue
		}
		j := i + 1
		for j <= last {
			if _, ok := w.block[blockKey{seg.Start, j}]; ok {
				break
			}
			j++
		}
		if j > last && w.inOrder >= walChunk { // read from one end to the other, it seems
			for ahead := i + w.ahead/skimBlock; j < ahead && j*skimBlock < end; j++ {
				if _, ok := w.block[blockKey{seg.Start, j}]; ok {
					break
				}
			}
		}
		data, err := w.fetch(ctx, seg.Name, i*skimBlock, min(j*skimBlock, end)-i*skimBlock)
		if err != nil {
			return nil, err
		}
		for k := i; k < j; k++ {
			piece := data[min((k-i)*skimBlock, int64(len(data))):min((k-i+1)*skimBlock, int64(len(data)))]
			w.keepBlock(blockKey{seg.Start, k}, piece)
		}
		i = j - 1
	}
	out := w.buf[:0]
	for i := first; i <= last; i++ {
		k := w.block[blockKey{seg.Start, i}]
		data := k.data
		if data == nil && k.n > 0 {
			var err error
			if data, err = w.spill.read(&w.page, k.at, int(k.n)); err != nil {
				return nil, err
			}
		}
		lo, hi := max(off-i*skimBlock, 0), min(want-i*skimBlock, int64(len(data)))
		if lo < hi {
			out = append(out, data[lo:hi]...)
		}
	}
	w.buf = out[:0:cap(out)]
	return out, nil
}

type blockKey struct {
	start wal.LSN
	n     int64
}

func (w *WALSource) keepBlock(k blockKey, data []byte) {
	if len(data) > w.memory {
		if at, ok := w.spill.write(data); ok {
			w.block[k] = window{at: at, n: int64(len(data))}
			return
		}
	}
	w.memory -= len(data)
	w.block[k] = window{data: data}
}

var _ wal.Skimmer = (*WALSource)(nil)
