package live

import (
	"strings"

	"inquest/sources"
	"inquest/ui/backend"
)

// Server names server, role and read-only state, as short as it can be said.
func (c *Case) Server() string {
	list := c.Snap.State.Sources
	if len(list) == 0 && c.Checking() {
		return "asking the sources…"
	}
	if len(list) > 0 && c.CannotRun() != "" {
		if server := ServerText(list); server != noServer {
			return server + " (not connected now)"
		}
		return "a saved case, not connected"
	}
	return ServerText(list)
}

// CannotRun says why no probe can be run in this case, or "".
func (c *Case) CannotRun() string {
	if s, ok := c.Session.(backend.Connected); ok {
		return s.CannotRun()
	}
	return ""
}

// ServerText names the servers among the sources, with role and read-only state.
func ServerText(list []sources.Status) string {
	var out []string
	for _, src := range list {
		if src.Kind == sources.KindPostgres {
			out = append(out, serverText(src))
		}
	}
	switch {
	case len(out) > 0:
		return strings.Join(out, " · ")
	case len(list) == 0:
		return "no source connected"
	}
	return noServer
}

const noServer = "no server connected"

// serverText is the server with its read-only state and role, and last the
// database, which may be cut; what a source of another make says is passed on.
func serverText(s sources.Status) string {
	if s.State == sources.StateFailed {
		return s.Source + " not reachable"
	}
	role, database := s.Identity["role"], s.Identity["database"]
	if role == "" || database == "" {
		return s.Summary
	}
	host, _, _ := strings.Cut(s.Identity["target"], ",")
	name := strings.TrimPrefix(s.Source, "db:")
	if host != "" {
		name, _, _ = strings.Cut(name, "@") // a name made from the DSN says the host already
		name += "@" + host
	}
	node := ""
	if s.Identity["in_recovery"] == "true" {
		node = " standby"
	}
	if s.Identity["superuser"] == "true" {
		role += " (superuser)"
	}
	return name + node + " read-only as " + role + ", " + database
}
