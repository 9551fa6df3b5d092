package live

import (
	"strings"

	"inquest/sources"
)

// Server names server, role and read-only state, as the source said it.
func (c *Case) Server() string {
	var out []string
	for _, src := range c.Snap.State.Sources {
		if src.Kind != sources.KindPostgres {
			continue
		}
		say := src.Summary
		if src.State == sources.StateFailed {
			say = src.Source + " not reachable"
		}
		out = append(out, say)
	}
	if len(out) == 0 {
		return "no server connected"
	}
	return strings.Join(out, " · ")
}
