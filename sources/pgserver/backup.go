package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Backup is a copy of a running cluster's data directory, as BaseBackup makes it.
type Backup struct {
	// Dir is the folder that holds the copy; it is the caller's to remove.
	Dir string
	// Major is the version it needs.
	Major int
	// Superuser and Password are the bootstrap role's.
	Superuser, Password string
	// Primary is the connection string a standby streams from.
	Primary string
}

// BaseBackup copies the running server into a folder that must not exist yet. It uses the low-level backup API, so it needs
// none of the client programs. The WAL that makes the copy consistent is in it; a recovery beyond that needs an archive.
func (s *Server) BaseBackup(ctx context.Context, dir string) (b Backup, err error) {
	if spaces, err := os.ReadDir(filepath.Join(s.DataDir(), "pg_tblspc")); err != nil || len(spaces) > 0 {
		return Backup{}, errors.Join(errors.New("take a base backup: the server has tablespaces, which would be shared"), err)
	}
	conn, err := pgx.Connect(ctx, s.SocketDSN(s.super, "postgres"))
	if err != nil {
		return Backup{}, fmt.Errorf("take a base backup: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := s.mkdir(dir); err != nil {
		return Backup{}, fmt.Errorf("take a base backup: %w", err)
	}
	if err := s.copyRunning(ctx, conn, dir); err != nil {
		return Backup{}, errors.Join(fmt.Errorf("take a base backup: %w", err), os.RemoveAll(dir))
	}
	return Backup{
		Dir: dir, Major: s.inst.Major, Superuser: s.super, Password: s.password,
		Primary: s.SocketDSN(s.super, "postgres"),
	}, nil
}

func (s *Server) copyRunning(ctx context.Context, conn *pgx.Conn, dir string) error {
	start, stop := "pg_backup_start('inquest', true)", "pg_backup_stop(false)"
	if s.inst.Major < 15 {
		start, stop = "pg_start_backup('inquest', true, false)", "pg_stop_backup(false, false)"
	}
	var first string
	if err := conn.QueryRow(ctx, "select pg_walfile_name("+start+")").Scan(&first); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := copyTree(ctx, s.DataDir(), data, s.user, notInBackup); err != nil {
		return err
	}
	var label, last string
	err := conn.QueryRow(ctx, "select labelfile, pg_walfile_name(lsn) from "+stop).Scan(&label, &last)
	if err != nil {
		return err
	}
	if err := s.user.writeFile(filepath.Join(data, "backup_label"), label); err != nil {
		return err
	}
	// The last segment is copied after the record that ends the backup was flushed, so the copy can be replayed.
	return s.copySegments(ctx, filepath.Join(data, "pg_wal"), first, last)
}

// notInBackup leaves out what belongs to the running server, as the documentation of the low-level API says.
func notInBackup(rel string) bool {
	switch rel {
	case "postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "backup_label":
		return true
	}
	dir, name := filepath.Split(rel)
	switch dir {
	case "pg_wal/":
		return name != "archive_status" && name != "summaries"
	case "pg_replslot/", "pg_dynshmem/", "pg_notify/", "pg_serial/", "pg_snapshots/", "pg_stat_tmp/", "pg_subtrans/":
		return true
	case "pg_wal/archive_status/", "pg_wal/summaries/":
		return true
	}
	return strings.HasPrefix(name, "pgsql_tmp")
}

// copySegments copies the WAL segments from first to last, whose names order them within a timeline, and the histories.
func (s *Server) copySegments(ctx context.Context, to, first, last string) error {
	return copyTree(ctx, s.WALDir(), to, s.user, func(rel string) bool {
		switch {
		case rel == ".", strings.HasSuffix(rel, ".history"):
			return false
		}
		return len(rel) != len(first) || rel < first || rel > last
	})
}

func (s *Server) fillFromBackup(ctx context.Context, b Backup, mode Mode) error {
	s.super, s.password = b.Superuser, b.Password
	if err := copyTree(ctx, filepath.Join(b.Dir, "data"), s.DataDir(), s.user, nil); err != nil {
		return fmt.Errorf("copy the base backup: %w", err)
	}
	switch mode {
	case FollowPrimary:
		if s.settings["primary_conninfo"] == "" {
			s.settings["primary_conninfo"] = b.Primary
		}
		return s.user.writeFile(filepath.Join(s.DataDir(), "standby.signal"), "")
	case Recover:
		return s.user.writeFile(filepath.Join(s.DataDir(), "recovery.signal"), "")
	case Primary:
	}
	return nil
}

// Standby starts a server that streams from this one. Of the Config, what belongs to initdb is ignored; the settings of
// this server that a standby must share are taken over where the Config does not name them. The two are closed apart.
func (s *Server) Standby(ctx context.Context, cfg Config) (*Server, error) {
	ctx, cancel := withStartLimit(ctx)
	defer cancel()
	dir := filepath.Join(s.ScratchDir(), fmt.Sprintf("backup-%d", time.Now().UnixNano()))
	b, err := s.BaseBackup(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the folder goes with this server anyway
	cfg.Bin, cfg.Backup, cfg.Mode = s.inst.Bin, &b, FollowPrimary
	cfg.Settings = s.sharedSettings(cfg.Settings)
	return Start(ctx, cfg)
}

// sharedSettings adds this server's settings under the given ones, without those that name its own replication.
func (s *Server) sharedSettings(given map[string]string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.settings)
	for _, own := range []string{"primary_conninfo", "synchronous_standby_names", "archive_command", "archive_mode"} {
		delete(all, own)
	}
	maps.Copy(all, given)
	return all
}
