package investigations

// Options are the choices made when a case was opened that judging may use.
type Options struct {
	// AppRole is the application's role (--as), empty when unknown.
	AppRole string `json:"app_role,omitempty"`
	// AppSettings are session settings of the application (--as-setting).
	AppSettings map[string]string `json:"app_settings,omitempty"`
	Budget      Budget            `json:"budget"`
}

// Budget bounds what probes may cost a server.
type Budget string

// The three budgets.
const (
	BudgetSmall  Budget = "small"
	BudgetNormal Budget = "normal"
	BudgetLarge  Budget = "large"
)

// Limits are a budget in numbers.
type Limits struct {
	ScanBytes int64 // largest table that may be read sequentially
	HeapBytes int64 // most raw heap bytes fetched
	WALBytes  int64 // most WAL bytes fetched over a connection
	LogBytes  int64 // most bytes of a server's own log fetched over a connection
}

// Limits returns the budget's numbers; an unknown budget is normal.
func (b Budget) Limits() Limits {
	switch b {
	case BudgetSmall:
		return Limits{ScanBytes: 32 << 20, HeapBytes: 128 << 20, WALBytes: 1 << 30, LogBytes: 64 << 20}
	case BudgetLarge:
		return Limits{ScanBytes: 4 << 30, HeapBytes: 16 << 30, WALBytes: 64 << 30, LogBytes: 16 << 30}
	default:
		return Limits{ScanBytes: 256 << 20, HeapBytes: 1 << 30, WALBytes: 8 << 30, LogBytes: 256 << 20}
	}
}
