package postgres

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/wal"
)

// expiries says when the evidence on the server will be gone.
func expiries(f *Facts) []sources.Expiry {
	out := []sources.Expiry{f.walExpiry()}
	if v, ok := f.vacuumExpiry(); ok {
		out = append(out, v)
	}
	return out
}

// farOff is where an estimate by the present pace says nothing any more.
const farOff = 30 * 24 * time.Hour

// walExpiry tells when the oldest WAL may be removed: at the end of the next
// checkpoint, for what lies before the redo point, wal_keep_size and all slots.
func (f *Facts) walExpiry() sources.Expiry {
	e := sources.Expiry{What: "WAL in pg_wal"}
	if f.WAL != nil && f.WAL.Oldest != "" {
		e.What = fmt.Sprintf("WAL from segment %s on (%d files, %d MB)", f.WAL.Oldest, f.WAL.Files, f.WAL.Bytes>>20)
	}
	if f.Control == nil {
		e.Why = "removed at some checkpoint; the control file cannot be seen"
		return e
	}
	e.Why = fmt.Sprintf("kept from %s on (last checkpoint's redo point %s, wal_keep_size %s, %d slots); older segments go at the next checkpoint",
		f.keptFrom(), f.Control.RedoLSN, f.Settings["wal_keep_size"], len(f.Slots))
	if f.Settings["archive_mode"] != "off" && f.Settings["archive_mode"] != "" {
		e.Why += "; archive_mode is on: an archive may hold them longer (--wal DIR)"
	}
	at, why := f.walEnd()
	e.At = at
	if why != "" {
		e.Why += "; " + why
	}
	return e
}

// walEnd estimates when the oldest segment may go; a zero time comes with the
// reason why it cannot be told.
func (f *Facts) walEnd() (time.Time, string) {
	next := f.nextCheckpoint()
	oldest, known := f.oldestLSN()
	if !known {
		return next, ""
	}
	for _, s := range f.Slots {
		if s.RestartLSN < oldest+wal.LSN(f.SegmentSize) {
			return time.Time{}, "the oldest is held by slot " + s.Name + " until that moves on"
		}
	}
	ahead := int64(oldest) + f.SegmentSize + f.keepBytes() - int64(f.InsertLSN)
	if f.keepBytes() == 0 || ahead <= 0 {
		return next, ""
	}
	rate := f.walRate()
	if rate <= 0 {
		return time.Time{}, "wal_keep_size holds the oldest until more WAL is written; the pace cannot be told yet"
	}
	left := float64(ahead) / rate
	if left > farOff.Seconds() {
		return time.Time{}, "at the present pace not within a month"
	}
	by := f.Now.Add(time.Duration(left * float64(time.Second)))
	if by.Before(next) {
		by = next // segments go at checkpoints only
	}
	return by, fmt.Sprintf("estimated from %.0f KB of WAL a second", rate/1024)
}

// nextCheckpoint is when the next checkpoint is due: by checkpoint_timeout, or
// by max_wal_size at the pace since the last one. It is now when overdue: none
// is made while nothing is written.
func (f *Facts) nextCheckpoint() time.Time {
	timeout, ok := seconds(f.Settings["checkpoint_timeout"])
	if !ok || f.Control.CheckpointTime.IsZero() {
		return time.Time{}
	}
	at := f.Control.CheckpointTime.Add(timeout)
	target, err := strconv.ParseFloat(f.Settings["checkpoint_completion_target"], 64)
	if rate := f.walRate(); rate > 0 && err == nil {
		// xlog.c, CalculateCheckpointSegments
		room := float64(megabytes(f.Settings["max_wal_size"]))/(1+target) - float64(f.InsertLSN-f.Control.RedoLSN)
		if left := room / rate; left < timeout.Seconds() {
			at = earlier(at, f.Now.Add(time.Duration(left*float64(time.Second))))
		}
	}
	if at.Before(f.Now) {
		return f.Now
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// walRate is the pace of WAL in bytes a second since the last checkpoint; 0 when
// that is too recent or too much was written in between to tell.
func (f *Facts) walRate() float64 {
	since := f.Now.Sub(f.Control.CheckpointTime)
	if since < 10*time.Second || f.InsertLSN <= f.Control.RedoLSN {
		return 0
	}
	return float64(f.InsertLSN-f.Control.RedoLSN) / since.Seconds()
}

func (f *Facts) oldestLSN() (wal.LSN, bool) {
	if f.WAL == nil {
		return 0, false
	}
	_, start, ok := wal.ParseSegmentName(f.WAL.Oldest, f.SegmentSize)
	return start, ok
}

func (f *Facts) keepBytes() int64 { return megabytes(f.Settings["wal_keep_size"]) }

// megabytes reads a setting such as "1024 MB" as bytes; anything else is 0.
func megabytes(s string) int64 {
	mb, _, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(mb, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n << 20
}

// keptFrom is the position before which WAL may go at the next checkpoint.
func (f *Facts) keptFrom() wal.LSN {
	keep := f.Control.RedoLSN
	if n := wal.LSN(f.keepBytes()); n > 0 {
		keep = min(keep, max(f.InsertLSN-min(f.InsertLSN, n), wal.LSN(f.SegmentSize)))
	}
	for _, s := range f.Slots {
		keep = min(keep, s.RestartLSN)
	}
	return keep
}

func (f *Facts) vacuumExpiry() (sources.Expiry, bool) {
	if f.InRecovery {
		return sources.Expiry{What: "dead row versions", Why: "go when the primary's VACUUM is replayed here"}, true
	}
	if f.Settings["autovacuum"] != "on" {
		return sources.Expiry{}, false
	}
	return sources.Expiry{
		What: "dead row versions",
		Why: fmt.Sprintf("autovacuum looks every %s and cleans a table when more than %s rows and %s of it are dead; an ordinary read may prune a full page before",
			f.Settings["autovacuum_naptime"], f.Settings["autovacuum_vacuum_threshold"], f.Settings["autovacuum_vacuum_scale_factor"]),
	}, true
}

// seconds reads a setting such as "300 s" or "5 min".
func seconds(s string) (time.Duration, bool) {
	value, unit, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(value, 10, 64)
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "min": time.Minute}
	if u, ok := units[unit]; ok && err == nil {
		return time.Duration(n) * u, true
	}
	return 0, false
}
