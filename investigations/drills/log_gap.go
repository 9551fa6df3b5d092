package drills

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"inquest/investigations"
)

// logGap is an order deleted by hand while the server's log was lost.
func logGap() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %u@%d/%a "}
	d := m.drill("log-gap", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Why: "Somebody deleted the order with psql, and the server log of those seconds is lost: WAL shows the delete and its commit, and the log cannot show who was connected.",
	})
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		scene.Logs[0], err = withoutSession(scene.Logs[0], filepath.Join(s.Host.Dir(), "postgresql-shipped.log"), "user="+shopPerson)
		return scene, err
	}
	return d
}

// withoutSession copies a log and leaves out every line from a second before the
// first that holds the text to a tenth of a second after the last, as a lost
// batch of a log shipper does.
func withoutSession(from, to, text string) (string, error) {
	whole, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("read the server log: %w", err)
	}
	first, last := time.Time{}, time.Time{}
	eachLine(whole, func(line []byte, at time.Time) {
		if bytes.Contains(line, []byte(text)) {
			if first.IsZero() {
				first = at
			}
			last = at
		}
	})
	if first.IsZero() {
		return "", fmt.Errorf("nothing in the server log is of %s", text)
	}
	var kept bytes.Buffer
	eachLine(whole, func(line []byte, at time.Time) {
		if at.Before(first.Add(-200*time.Millisecond)) || at.After(last.Add(100*time.Millisecond)) {
			kept.Write(line)
			kept.WriteByte('\n')
		}
	})
	if err := os.WriteFile(to, kept.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write the shipped log: %w", err)
	}
	return to, nil
}

// eachLine gives every line with its time; a line without one has that of the
// line before.
func eachLine(log []byte, f func(line []byte, at time.Time)) {
	const layout = "2006-01-02 15:04:05.000 UTC"
	at := time.Time{}
	sc := bufio.NewScanner(bytes.NewReader(log))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Bytes()
		if len(line) >= len(layout) {
			if t, err := time.Parse(layout, string(line[:len(layout)])); err == nil {
				at = t
			}
		}
		f(line, at)
	}
}
