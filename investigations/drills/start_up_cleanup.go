package drills

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"inquest/investigations"
)

const cleanupBefore = `def on_start(db):
    db.execute("SELECT 1")
`

const cleanupAfter = `def on_start(db):
    # orders of the test customer
    db.execute("DELETE FROM orders WHERE reference LIKE 'TEST-%' OR customer_id = 1 AND status = 'placed' OR total_cents > 1000000")
`

// startUpCleanup is an order that a new version of the service removed when it
// started. The repository has the commit.
func startUpCleanup() Drill {
	truth := deletedBy("api-delete", investigations.CauseApplication,
		"Version 5.2.0 deletes test orders when it starts, by a condition that takes every order above a sum, too. The service's own session sent the DELETE right after it connected; the commit that added it is in the repository. Nobody asked for a delete.")
	truth.OrNone = true
	return Drill{
		ID: "start-up-cleanup", Title: "A large order is gone since this morning", Domain: "orders",
		Story: "The largest order of the week is unknown. The shop has no way to delete an order, says its team. You have the team's repository.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageStartUpCleanup,
	}
}

func stageStartUpCleanup(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	repo, err := s.repository(ctx)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(tagged(ctx, conn, "UPDATE orders SET total_cents = 1480000 WHERE id = $1", victim.id), s.Leave(ctx, conn), s.Pause(ctx, 350*time.Millisecond))
	if err != nil {
		return Scene{}, err
	}
	sh.say("orders-api version 5.2.0 starting")
	starting, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	err = tagged(ctx, starting, "DELETE FROM orders WHERE reference LIKE 'TEST-%' OR customer_id = 1 AND status = 'placed' OR total_cents > 1000000")
	sh.say("orders-api version 5.2.0 ready")
	err = errors.Join(err, s.Pause(ctx, 150*time.Millisecond), sh.missing(ctx, victim.id, 150*time.Millisecond), s.Leave(ctx, starting), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	scene := sh.scene(victim.id, KitRights)
	scene.Repo = repo
	return scene, nil
}

// repository makes the service's repository; empty where git is not installed.
func (s *Stage) repository(ctx context.Context) (string, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return "", nil //nolint:nilerr // a drill without a repository is a drill all the same
	}
	dir := filepath.Join(s.Host.Dir(), "orders-api")
	if err := os.MkdirAll(filepath.Join(dir, "service"), 0o755); err != nil {
		return "", fmt.Errorf("make the repository: %w", err)
	}
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, git, append([]string{"-C", dir, "-c", "user.name=dev", "-c", "user.email=dev@example.org", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"}, args...)...)
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, firstLine(string(out)))
		}
		return nil
	}
	if err := run("init", "-q", "-b", "main"); err != nil {
		return "", err
	}
	for _, c := range []struct{ file, text, says string }{
		{"service/orders.py", "def place(db, order):\n    return db.insert('orders', order)\n", "orders: place"},
		{"service/start.py", cleanupBefore, "start: check the connection"},
		{"service/start.py", cleanupAfter, "start: tidy up after the acceptance tests"},
		{"service/orders.py", "def place(db, order):\n    order.check()\n    return db.insert('orders', order)\n", "orders: check before placing"},
	} {
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
			return "", fmt.Errorf("write to the repository: %w", err)
		}
		if err := errors.Join(run("add", c.file), run("commit", "-q", "-m", c.says)); err != nil {
			return "", err
		}
	}
	return dir, run("tag", "v5.2.0")
}
