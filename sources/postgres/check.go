package postgres

import (
	"context"
	"fmt"
	"strconv"

	"inquest/sources"
)

// Check implements sources.Source: it connects anew when that failed before,
// asks the server for its Facts and says what this role may see and what not.
func (s *Server) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: s.name, Kind: sources.KindPostgres}
	f, err := s.recheck(ctx)
	if err != nil {
		st.State = sources.StateFailed
		st.Summary = "not reached: " + s.Target()
		st.Problem = err.Error()
		return st
	}
	st.Summary = summary(f)
	st.Identity = s.identity(f)
	st.Abilities = s.abilities(f)
	st.Expires = expiries(f)
	st.State = sources.StateReady
	for _, a := range st.Abilities {
		if !a.OK && !optional[a.Name] && (a.Name != AbilityWAL || f.streamBlind() != nil && f.inspectBlind() != nil) {
			st.State = sources.StatePartial
			if st.Problem == "" {
				st.Problem = a.Name + ": " + a.Why + "; " + a.Opens
			}
		}
	}
	return st
}

// optional abilities do not make a server partial: another source or another
// ability answers the same.
var optional = map[string]bool{AbilityStream: true, AbilityWALInspect: true, AbilityCommitTimestamps: true, AbilityServerLog: true}

func (s *Server) recheck(ctx context.Context) (*Facts, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	s.known, s.refused = nil, nil
	return s.facts(ctx)
}

func summary(f *Facts) string {
	node, rights := "primary", ""
	if f.InRecovery {
		node = "standby"
	}
	if f.Superuser {
		rights = " (superuser)"
	}
	return fmt.Sprintf("PostgreSQL %s, %s, database %s as %s%s, read only", f.Version, node, f.Database, f.Role, rights)
}

func (s *Server) identity(f *Facts) map[string]string {
	id := map[string]string{
		"target": s.Target(), "database": f.Database, "role": f.Role, "superuser": strconv.FormatBool(f.Superuser),
		"server_version": f.Version, "server_version_num": strconv.Itoa(f.VersionNum), "in_recovery": strconv.FormatBool(f.InRecovery),
		"insert_lsn": f.InsertLSN.String(), "backend_pid": strconv.Itoa(int(s.BackendPID())),
	}
	if t := f.Timeline(); t != 0 {
		id["timeline"] = strconv.Itoa(int(t))
	}
	if f.Control != nil {
		id["system_identifier"] = f.Control.SystemIdentifier
		id["redo_lsn"] = f.Control.RedoLSN.String()
		id["checkpoint_time"] = f.Control.CheckpointTime.Format("2006-01-02T15:04:05Z")
	}
	if f.InRecovery {
		id["replay_lsn"] = f.FlushLSN.String()
		if !f.ReplayedUntil.IsZero() {
			id["replayed_until"] = f.ReplayedUntil.Format("2006-01-02T15:04:05.000000Z")
		}
	}
	if !f.Started.IsZero() {
		id["started"] = f.Started.Format("2006-01-02T15:04:05Z")
	}
	for name, value := range f.Settings {
		id["setting."+name] = value
	}
	for i, n := range s.notes {
		id["note."+strconv.Itoa(i+1)] = n
	}
	return id
}
