package pgserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// templateAge is how long a cached cluster that nobody starts from is kept.
const templateAge = 30 * 24 * time.Hour

// templating makes the goroutines of one process wait for the first one's template instead of each running initdb.
var templating sync.Mutex

// fillFromInitdb makes the data directory, out of the cached template where that is possible.
func (s *Server) fillFromInitdb(ctx context.Context, cfg Config) error {
	if cfg.NoTemplate {
		return s.initdb(ctx, cfg, s.root)
	}
	dir, err := s.template(ctx, cfg)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		// A cache that cannot be written is no reason not to start.
		return s.initdb(ctx, cfg, s.root)
	}
	if err := copyTree(ctx, filepath.Join(dir, "data"), s.DataDir(), s.user, nil); err != nil {
		return fmt.Errorf("copy the template cluster: %w", err)
	}
	return s.readPassword(dir)
}

// template returns the folder of the cached cluster for these options, making it when it is not there.
func (s *Server) template(ctx context.Context, cfg Config) (string, error) {
	templating.Lock()
	defer templating.Unlock()
	cache := filepath.Join(cacheDir(), "templates")
	if err := os.MkdirAll(cache, 0o711); err != nil {
		return "", fmt.Errorf("make the template cache: %w", err)
	}
	if err := s.user.canReach(cache); err != nil {
		return "", err
	}
	dir := filepath.Join(cache, s.templateName(cfg))
	if s.user.owns(dir) {
		now := time.Now()
		return dir, os.Chtimes(dir, now, now)
	}
	removeOlder(cache, time.Now().Add(-templateAge))
	return dir, s.makeTemplate(ctx, cfg, cache, dir)
}

func (s *Server) makeTemplate(ctx context.Context, cfg Config, cache, dir string) error {
	tmp, err := os.MkdirTemp(cache, ".new-")
	if err != nil {
		return fmt.Errorf("make a template folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }() // gone already after the rename
	if err := s.user.own(tmp); err != nil {
		return err
	}
	if err := s.initdb(ctx, cfg, tmp); err != nil {
		return err
	}
	err = os.Rename(tmp, dir)
	if err != nil && s.user.owns(dir) {
		return nil // another process was first
	}
	return err
}

// templateName names a template by all that goes into it, the binary's identity included.
func (s *Server) templateName(cfg Config) string {
	h := sha256.New()
	fmt.Fprintln(h, s.inst.Bin, s.inst.Version, s.user.uid, s.initdbArgs(cfg))
	if fi, err := os.Stat(filepath.Join(s.inst.Bin, "postgres")); err == nil {
		fmt.Fprintln(h, fi.Size(), fi.ModTime().UnixNano())
	}
	return fmt.Sprintf("%d-%s", s.inst.Major, hex.EncodeToString(h.Sum(nil)[:8]))
}

func (s *Server) initdbArgs(cfg Config) []string {
	locale := cfg.Locale
	if locale == "" {
		locale = "C"
	}
	args := []string{
		"--no-sync", "--encoding=UTF8", "--locale=" + locale,
		"--username=" + s.super, "--auth=scram-sha-256",
	}
	if cfg.WALSegSizeMB != 0 {
		args = append(args, "--wal-segsize="+strconv.Itoa(cfg.WALSegSizeMB))
	}
	switch {
	case cfg.Checksums:
		args = append(args, "--data-checksums")
	case s.inst.Major >= 18: // the first version with checksums unless told otherwise
		args = append(args, "--no-data-checksums")
	}
	return args
}

// initdb makes dir/data and dir/password.
func (s *Server) initdb(ctx context.Context, cfg Config, dir string) error {
	pwfile := filepath.Join(dir, "password")
	if err := s.user.writeFile(pwfile, rand.Text()+"\n"); err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	args := append(s.initdbArgs(cfg), "--pgdata="+filepath.Join(dir, "data"), "--pwfile="+pwfile)
	cmd := exec.CommandContext(ctx, filepath.Join(s.inst.Bin, "initdb"), args...)
	cmd.Dir = dir
	cmd.Env = serverEnv()
	cmd.SysProcAttr = s.user.attr(false)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("run initdb: %w", context.Cause(ctx))
		}
		return fmt.Errorf("run initdb: %w: %s", err, lastLines(out.Bytes(), 4))
	}
	return s.readPassword(dir)
}

func (s *Server) readPassword(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		return fmt.Errorf("read the password file: %w", err)
	}
	s.password = strings.TrimSpace(string(b))
	if s.password == "" {
		return errors.New("read the password file: it is empty")
	}
	return nil
}

// serverEnv is the environment without libpq's and the server's own variables, which would redirect what is started.
func serverEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "LC_") || name == "LANG" || name == "LANGUAGE" {
			continue
		}
		env = append(env, kv)
	}
	return append(env, "LC_ALL=C")
}

// removeOlder deletes the entries of a cache folder that were last used before a time.
func removeOlder(dir string, before time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && fi.ModTime().Before(before) {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // a cache: what stays is tried again next time
		}
	}
}
