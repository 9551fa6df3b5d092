package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// longest is how long a screen may take to show what it is waited for.
const longest = 90 * time.Second

// tmux is a terminal of its own: another server than the person's.
type tmux struct {
	socket string
	w, h   int
	env    []string
}

func startTmux(ctx context.Context, env []string, w, h int, program ...string) (*tmux, error) {
	dir, err := os.MkdirTemp("", "inquest-tmux-")
	if err != nil {
		return nil, err
	}
	t := &tmux{socket: filepath.Join(dir, "s"), w: w, h: h, env: env}
	args := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h), "--"}, program...)
	if _, err := t.run(ctx, args...); err != nil {
		t.stop()
		return nil, err
	}
	_, err = t.run(ctx, "set-option", "-g", "status", "off")
	return t, err
}

func (t *tmux) stop() {
	_, _ = t.run(context.Background(), "kill-server")
	_ = os.RemoveAll(filepath.Dir(t.socket))
}

func (t *tmux) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "tmux", append([]string{"-u", "-S", t.socket}, args...)...)
	cmd.Env = t.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, errs.String())
	}
	return out.String(), nil
}

// press presses keys by the names that tmux gives them; "wait:" waits for a text.
func (t *tmux) press(ctx context.Context, keys ...string) error {
	for _, k := range keys {
		if text, ok := strings.CutPrefix(k, "wait:"); ok {
			if err := t.wait(ctx, text); err != nil {
				return err
			}
			continue
		}
		if _, err := t.run(ctx, "send-keys", k); err != nil {
			return err
		}
		time.Sleep(150 * time.Millisecond) // a key after escape would be one with it
	}
	return nil
}

func (t *tmux) wait(ctx context.Context, text string) error {
	until := time.Now().Add(longest)
	for {
		screen, err := t.run(ctx, "capture-pane", "-p")
		if err != nil {
			return err
		}
		if strings.Contains(screen, text) {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%q did not come within %s; the screen:\n%s", text, longest, screen)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// capture returns the screen with its escape sequences for colours.
func (t *tmux) capture(ctx context.Context) (string, error) {
	return t.run(ctx, "capture-pane", "-p", "-e", "-N")
}
