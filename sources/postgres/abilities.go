package postgres

import (
	"fmt"

	"inquest/sources"
	"inquest/sources/catalog"
)

// Names of the abilities in a Status.
const (
	AbilityTables           = "read tables"
	AbilityWAL              = "WAL over SQL"
	AbilityPages            = "raw pages"
	AbilityStream           = "WAL by streaming"
	AbilityWALInspect       = "pg_walinspect"
	AbilityServerLog        = "server log over SQL"
	AbilityCommitTimestamps = "commit timestamps"
	AbilityActivity         = "statements of other sessions"
	AbilityXactStatus       = "transaction status"
)

func (s *Server) abilities(f *Facts) []sources.Ability {
	return []sources.Ability{
		f.tablesAbility(),
		f.ability(AbilityWAL, f.walBlind()),
		f.ability(AbilityPages, f.pagesBlind()),
		f.ability(AbilityServerLog, f.serverLogBlind()),
		f.ability(AbilityCommitTimestamps, f.commitTimestampBlind()),
		f.ability(AbilityActivity, f.activityBlind()),
		f.ability(AbilityXactStatus, f.xactStatusBlind()),
		f.ability(AbilityStream, f.streamBlind()),
		f.ability(AbilityWALInspect, f.inspectBlind()),
	}
}

func (f *Facts) ability(name string, b *sources.Blind) sources.Ability {
	if b == nil {
		return sources.Ability{Name: name, OK: true}
	}
	return sources.Ability{Name: name, Why: b.Why, Opens: b.Opens}
}

func (f *Facts) tablesAbility() sources.Ability {
	a := sources.Ability{Name: AbilityTables, OK: true}
	if !f.Superuser && !f.BypassRLS {
		a.Why = "tables that are granted to " + f.Role + ", under their row-level security"
		a.Opens = "ALTER ROLE " + catalog.QuoteIdent(f.Role) + " BYPASSRLS (afterwards: NOBYPASSRLS)"
	}
	return a
}

// kitWarning is said beside every grant of pg_read_binary_file.
const kitWarning = "note that it reads every file of the server, password verifiers too"

func (f *Facts) readBinaryGrant() string {
	return grant("EXECUTE ON FUNCTION "+fnReadBinary+" TO "+catalog.QuoteIdent(f.Role)) + "; " + kitWarning
}

func (f *Facts) monitorGrant() string { return grant("pg_monitor TO " + catalog.QuoteIdent(f.Role)) }

func (f *Facts) missing(what string, grants ...string) *sources.Blind {
	b := &sources.Blind{Why: fmt.Sprintf("role %s may not %s", f.Role, what)}
	for i, g := range grants {
		if i > 0 {
			b.Opens += " and "
		}
		b.Opens += g
	}
	return b
}

func (f *Facts) walBlind() *sources.Blind {
	var grants []string
	if !f.Functions[fnLsWAL] {
		grants = append(grants, f.monitorGrant())
	}
	reader := f.Functions[fnReadBinary] || f.wrapper(wrapperWAL) != ""
	if !reader {
		grants = append(grants, f.readBinaryGrant())
	}
	if len(grants) == 0 {
		return nil
	}
	b := f.missing("read the files of pg_wal", grants...)
	if !reader {
		b.Opens += "; or, to let it read nothing but WAL, " + f.makeWALReader()
	}
	return b
}

func (f *Facts) pagesBlind() *sources.Blind {
	if f.Functions[fnReadBinary] || f.rawPageFunction() != "" || f.wrapper(wrapperPage) != "" {
		return nil
	}
	return f.missing("read raw pages", f.readBinaryGrant())
}

// rawPageFunction is pageinspect's get_raw_page where it is installed and the
// role is superuser, else empty: its C code refuses everybody else.
func (f *Facts) rawPageFunction() string {
	schema, ok := f.Extensions["pageinspect"]
	if !ok || !f.Superuser {
		return ""
	}
	return catalog.QuoteIdent(schema) + ".get_raw_page"
}

func (f *Facts) serverLogBlind() *sources.Blind {
	if f.Settings["logging_collector"] == "off" {
		return &sources.Blind{
			Why:   "the server writes its log to standard error (logging_collector = off), where SQL cannot read it",
			Opens: "name the file: --logs /var/log/postgresql (Debian, Ubuntu), or --journal postgresql",
		}
	}
	var grants []string
	if !f.Functions[fnLsLog] {
		grants = append(grants, f.monitorGrant())
	}
	if !f.Functions[fnReadBinary] {
		grants = append(grants, f.readBinaryGrant())
	}
	if len(grants) == 0 {
		return nil
	}
	b := f.missing("read the server's log files", grants...)
	b.Opens += ", or --logs with the log's folder"
	return b
}

func (f *Facts) commitTimestampBlind() *sources.Blind {
	if f.Settings["track_commit_timestamp"] != "on" {
		return &sources.Blind{Why: "track_commit_timestamp is off; commit times come from WAL only", Opens: "track_commit_timestamp = on (restart; knows later commits only)"}
	}
	return nil
}

func (f *Facts) activityBlind() *sources.Blind {
	if f.Superuser || f.Monitor {
		return nil
	}
	return f.missing("see what other sessions run", f.monitorGrant())
}

func (f *Facts) xactStatusBlind() *sources.Blind {
	if f.Functions["pg_xact_status(xid8)"] {
		return nil
	}
	return f.missing("ask for the status of a transaction", grant("EXECUTE ON FUNCTION pg_xact_status(xid8) TO "+catalog.QuoteIdent(f.Role)))
}

func (f *Facts) walInspectBlind() *sources.Blind {
	if _, ok := f.Extensions["pg_walinspect"]; !ok {
		return &sources.Blind{Why: "the extension is not installed here; inquest installs nothing", Opens: "not needed when WAL over SQL works; CREATE EXTENSION pg_walinspect (15 and later)"}
	}
	if f.Superuser || f.ReadFiles {
		return nil
	}
	return f.missing("use pg_walinspect", grant("pg_read_server_files TO "+catalog.QuoteIdent(f.Role)))
}
