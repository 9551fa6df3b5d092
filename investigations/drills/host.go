package drills

import "context"

// Host lends servers and a folder. Whoever implements it closes the servers and
// removes the folder after the investigation.
type Host interface {
	// Server starts a fresh primary.
	Server(ctx context.Context, spec ServerSpec) (Server, error)
	// Standby starts a server that streams from a primary of this host, with
	// these settings added to the primary's.
	Standby(ctx context.Context, primary Server, settings map[string]string) (Server, error)
	// Clone starts an independent copy of a server of this host as it is now: what
	// a restored backup is.
	Clone(ctx context.Context, of Server, settings map[string]string) (Server, error)
	// Backup takes a base backup of a running server of this host.
	Backup(ctx context.Context, of Server) (Backup, error)
	// Dir is an existing folder for logs.
	Dir() string
}

// Backup starts a server from a base backup that recovers as the settings say:
// restore_command, recovery_target_time and the like.
type Backup func(ctx context.Context, settings map[string]string) (Server, error)

// ServerSpec says what a drill's server must be like.
type ServerSpec struct {
	// Settings are configuration parameters, unquoted.
	Settings map[string]string
	// HBA lines go before the host's own, which must ask for a password over TCP.
	HBA []string
	// MinMajor is the oldest major version that will do; zero: any.
	MinMajor int
	// Checksums switches data checksums on.
	Checksums bool
}

// Server is one throwaway cluster. A *pgserver.Server is one.
type Server interface {
	// DSN is a URL for the superuser, DSNAs one for a role with a password.
	DSN(database string) string
	DSNAs(role, password, database string) string
	DataDir() string
	WALDir() string
	LogFile() string
	Start(ctx context.Context) error
	// Stop shuts down cleanly, StopImmediate without a checkpoint; Crash kills all
	// processes at one instant.
	Stop(ctx context.Context) error
	StopImmediate(ctx context.Context) error
	Crash()
	Restart(ctx context.Context, settings map[string]string) error
	Reload(settings map[string]string) error
	Promote(ctx context.Context) error
}
