package drills

import (
	"path/filepath"
)

// csvLog are settings that make the server write its log as CSV, and csvPath is
// where it then is.
func csvLog(more map[string]string) map[string]string {
	return settings(map[string]string{
		"logging_collector": "on", "log_destination": "csvlog", "log_directory": "log", "log_filename": "postgresql.log", "log_connections": "on", "log_disconnections": "on",
	}, more)
}

func csvPath(srv Server) string { return filepath.Join(srv.DataDir(), "log", "postgresql.csv") }

// jsonLog is the same for JSON, which servers write from version 15 on.
func jsonLog(more map[string]string) map[string]string {
	return csvLog(settings(map[string]string{"log_destination": "jsonlog"}, more))
}

func jsonPath(srv Server) string { return filepath.Join(srv.DataDir(), "log", "postgresql.json") }

// connected is a server log that covers time well: who comes and goes is in it.
func connected(prefix string, more map[string]string) map[string]string {
	return settings(map[string]string{
		"log_line_prefix": prefix, "log_connections": "on", "log_disconnections": "on", "log_statement": "none", "deadlock_timeout": "150ms",
	}, more)
}
