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
	keep := f.keptFrom()
	e.Why = fmt.Sprintf("kept from %s on (last checkpoint's redo point %s, wal_keep_size %s, %d slots); older segments go at the next checkpoint",
		keep, f.Control.RedoLSN, f.Settings["wal_keep_size"], len(f.Slots))
	if f.Settings["archive_mode"] != "off" && f.Settings["archive_mode"] != "" {
		e.Why += "; archive_mode is on: an archive may hold them longer (--wal DIR)"
	}
	timeout, ok := seconds(f.Settings["checkpoint_timeout"])
	if ok && !f.Control.CheckpointTime.IsZero() {
		e.At = f.Control.CheckpointTime.Add(timeout)
		if e.At.Before(f.Now) {
			// No checkpoint is due while nothing is written.
			e.At = f.Now
		}
	}
	return e
}

// keptFrom is the position before which WAL may go at the next checkpoint.
func (f *Facts) keptFrom() wal.LSN {
	keep := f.Control.RedoLSN
	if mb, _, _ := strings.Cut(f.Settings["wal_keep_size"], " "); mb != "" {
		if n, err := strconv.ParseInt(mb, 10, 64); err == nil && n > 0 {
			keep = min(keep, f.InsertLSN-min(f.InsertLSN, wal.LSN(n<<20)))
		}
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
