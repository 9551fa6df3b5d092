package drills_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"inquest/investigations/drills"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ drills.Server = (*pgserver.Server)(nil)

// host lends servers that live as long as the test.
type host struct {
	t   *testing.T
	dir string
	mu  sync.Mutex
	n   int
}

func newHost(t *testing.T) *host { return &host{t: t, dir: t.TempDir()} }

func (h *host) Dir() string { return h.dir }

func (h *host) Server(_ context.Context, spec drills.ServerSpec) (drills.Server, error) {
	return pgservertest.New(h.t, pgserver.Config{Settings: spec.Settings, HBA: spec.HBA, Checksums: spec.Checksums}), nil
}

func (h *host) Standby(ctx context.Context, primary drills.Server, settings map[string]string) (drills.Server, error) {
	s, err := primary.(*pgserver.Server).Standby(ctx, pgserver.Config{Settings: settings})
	return h.keep(s, err)
}

func (h *host) Clone(ctx context.Context, of drills.Server, settings map[string]string) (drills.Server, error) {
	b, err := h.backup(ctx, of)
	if err != nil {
		return nil, err
	}
	s, err := pgserver.Start(ctx, pgserver.Config{Settings: settings, Backup: &b})
	return h.keep(s, errors.Join(err, os.RemoveAll(b.Dir)))
}

func (h *host) Backup(ctx context.Context, of drills.Server) (drills.Backup, error) {
	b, err := h.backup(ctx, of)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, settings map[string]string) (drills.Server, error) {
		return h.keep(pgserver.Start(ctx, pgserver.Config{Settings: settings, Backup: &b, Mode: pgserver.Recover}))
	}, nil
}

func (h *host) backup(ctx context.Context, of drills.Server) (pgserver.Backup, error) {
	src := of.(*pgserver.Server)
	h.mu.Lock()
	h.n++
	dir := filepath.Join(src.ScratchDir(), fmt.Sprintf("backup-%d", h.n))
	h.mu.Unlock()
	return src.BaseBackup(ctx, dir)
}

func (h *host) keep(s *pgserver.Server, err error) (drills.Server, error) {
	if err != nil {
		return nil, err
	}
	h.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return s, nil
}
