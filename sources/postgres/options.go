package postgres

import (
	"math"
	"time"
)

// Budget bounds in bytes what a Server may be asked to read. Zero takes the
// default, a negative value means no bound.
type Budget struct {
	ScanBytes int64 // largest estimated read of one query marked Scans; default 256 MiB
	HeapBytes int64 // most raw relation bytes read in all; default 1 GiB
	WALBytes  int64 // most WAL bytes fetched or searched in all; default 8 GiB
	LogBytes  int64 // most bytes of the server's own log fetched; default 256 MiB
}

// Options are the limits of a Server and what is known of the application.
type Options struct {
	Budget           Budget
	StatementTimeout time.Duration // of one statement; default 5 s
	LockTimeout      time.Duration // of waiting for one lock; default 500 ms
	ConnectTimeout   time.Duration // when the DSN names none; default 10 s
	// Total bounds the time that all work on the server takes together, without
	// fetching WAL and log bytes, which Budget bounds; default 60 s, negative means
	// no bound.
	Total time.Duration
	// AppRole is the application's role, AppSettings the settings of its sessions
	// (--as, --as-setting).
	AppRole     string
	AppSettings map[string]string
	Now         func() time.Time // default time.Now
}

func (o Options) withDefaults() Options {
	o.Budget.ScanBytes = orDefault(o.Budget.ScanBytes, 256<<20)
	o.Budget.HeapBytes = orDefault(o.Budget.HeapBytes, 1<<30)
	o.Budget.WALBytes = orDefault(o.Budget.WALBytes, 8<<30)
	o.Budget.LogBytes = orDefault(o.Budget.LogBytes, 256<<20)
	if o.Budget.LogBytes < 0 {
		o.Budget.LogBytes = math.MaxInt64
	}
	o.StatementTimeout = orDefault(o.StatementTimeout, 5*time.Second)
	o.LockTimeout = orDefault(o.LockTimeout, 500*time.Millisecond)
	o.ConnectTimeout = orDefault(o.ConnectTimeout, 10*time.Second)
	o.Total = orDefault(o.Total, 60*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func orDefault[T ~int64](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}
