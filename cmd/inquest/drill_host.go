package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"inquest/investigations/drills"
	"inquest/sources/pgserver"
)

// drillHost lends throwaway servers and a folder to a drill, and takes all of
// them back at Close.
type drillHost struct {
	dir  string
	lock *flock.Flock // held while the folder is in use

	mu      sync.Mutex
	servers []*pgserver.Server
}

const drillPrefix = "inquest-drill-"

func newDrillHost() (*drillHost, error) {
	pgserver.Sweep()
	sweepDrills(os.TempDir())
	dir, err := os.MkdirTemp("", drillPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the drill: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".owner"))
	if _, err := lock.TryLock(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the drill's folder: %w", err), os.RemoveAll(dir))
	}
	return &drillHost{dir: dir, lock: lock}, nil
}

// sweepDrills removes the folders of drills whose owner was killed: those whose
// lock nobody holds. A folder without a lock is not ours to judge.
func sweepDrills(temp string) {
	left, _ := filepath.Glob(filepath.Join(temp, drillPrefix+"*", ".owner"))
	for _, owner := range left {
		lock := flock.New(owner)
		if ok, err := lock.TryLock(); err == nil && ok {
			_ = errors.Join(os.RemoveAll(filepath.Dir(owner)), lock.Unlock())
		}
	}
}

// Dir is the folder for the drill's logs.
func (h *drillHost) Dir() string { return h.dir }

// Server starts a fresh primary.
func (h *drillHost) Server(ctx context.Context, spec drills.ServerSpec) (drills.Server, error) {
	cfg := pgserver.Config{Settings: spec.Settings, HBA: spec.HBA, Checksums: spec.Checksums}
	if spec.MinMajor > 0 {
		for _, inst := range pgserver.Find() {
			if inst.Major >= spec.MinMajor {
				cfg.Bin = inst.Bin
				break
			}
		}
		if cfg.Bin == "" {
			return nil, fmt.Errorf("this drill needs PostgreSQL %d or later: %w", spec.MinMajor, pgserver.ErrNoServer)
		}
	}
	return h.keep(pgserver.Start(ctx, cfg))
}

// Standby starts a server that streams from a primary of this host.
func (h *drillHost) Standby(ctx context.Context, primary drills.Server, settings map[string]string) (drills.Server, error) {
	p, ok := primary.(*pgserver.Server)
	if !ok {
		return nil, errors.New("the primary is not a server of this host")
	}
	return h.keep(p.Standby(ctx, pgserver.Config{Settings: settings}))
}

// Clone starts an independent copy of a server as it is now.
func (h *drillHost) Clone(ctx context.Context, of drills.Server, settings map[string]string) (drills.Server, error) {
	b, err := h.backup(ctx, of)
	if err != nil {
		return nil, err
	}
	return h.keep(pgserver.Start(ctx, pgserver.Config{Backup: &b, Settings: maps.Clone(settings)}))
}

// Backup takes a base backup, from which servers can be recovered until Close.
func (h *drillHost) Backup(ctx context.Context, of drills.Server) (drills.Backup, error) {
	b, err := h.backup(ctx, of)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, settings map[string]string) (drills.Server, error) {
		return h.keep(pgserver.Start(ctx, pgserver.Config{Backup: &b, Settings: maps.Clone(settings), Mode: pgserver.Recover}))
	}, nil
}

func (h *drillHost) backup(ctx context.Context, of drills.Server) (pgserver.Backup, error) {
	p, ok := of.(*pgserver.Server)
	if !ok {
		return pgserver.Backup{}, errors.New("the server to copy is not one of this host")
	}
	dir, err := os.MkdirTemp(h.dir, "backup-")
	if err != nil {
		return pgserver.Backup{}, fmt.Errorf("make a folder for the backup: %w", err)
	}
	return p.BaseBackup(ctx, filepath.Join(dir, "base"))
}

func (h *drillHost) keep(s *pgserver.Server, err error) (drills.Server, error) {
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.servers = append(h.servers, s)
	return s, nil
}

// Close stops the servers and removes everything.
func (h *drillHost) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for i := len(h.servers) - 1; i >= 0; i-- {
		errs = append(errs, h.servers[i].Close())
	}
	h.servers = nil
	return errors.Join(append(errs, os.RemoveAll(h.dir), h.lock.Unlock())...)
}
