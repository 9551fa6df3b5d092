package pgserver

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// confName is the file, included at the end of postgresql.conf, that holds this package's and the caller's settings.
const confName = "inquest.conf"

// defaults are the settings a caller may override.
func defaults() map[string]string {
	return map[string]string{
		"shared_buffers":             "32MB",
		"timezone":                   "UTC",
		"log_timezone":               "UTC",
		"dynamic_shared_memory_type": "mmap", // lives in the data directory, so a crash leaves nothing in /dev/shm
	}
}

// writeConf writes the settings and access rules, as they are now, into the data directory.
func (s *Server) writeConf() error {
	all := defaults()
	maps.Copy(all, s.settings)
	all["listen_addresses"] = s.Host()
	all["port"] = strconv.Itoa(s.port)
	all["unix_socket_directories"] = s.sock
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s = %s\n", name, quoteSetting(all[name]))
	}
	if err := s.user.writeFile(filepath.Join(s.DataDir(), confName), b.String()); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	if err := s.includeConf(); err != nil {
		return fmt.Errorf("include the settings: %w", err)
	}
	if err := s.user.writeFile(filepath.Join(s.DataDir(), "pg_hba.conf"), s.accessRules()); err != nil {
		return fmt.Errorf("write the access rules: %w", err)
	}
	return nil
}

func (s *Server) includeConf() error {
	main := filepath.Join(s.DataDir(), "postgresql.conf")
	b, err := os.ReadFile(main)
	if err != nil {
		return err
	}
	line := "include '" + confName + "'\n"
	if strings.HasSuffix(string(b), line) {
		return nil
	}
	return s.user.writeFile(main, string(b)+line)
}

func (s *Server) accessRules() string {
	lines := append(slices.Clone(s.hba),
		"local all all trust",
		"local replication all trust",
		"host all all 127.0.0.1/32 scram-sha-256",
		"host replication all 127.0.0.1/32 scram-sha-256",
		"")
	return strings.Join(lines, "\n")
}

// quoteSetting quotes a value as postgresql.conf reads it, where a backslash starts an escape.
func quoteSetting(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`).Replace(v) + "'"
}
