package wal

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Switch is one line of a timeline history file: the timeline TLI ended at At, and why (access/timeline.c).
type Switch struct {
	TLI    uint32 `json:"tli"`
	At     LSN    `json:"at"`
	Reason string `json:"reason,omitempty"`
}

// ParseHistory reads a timeline history file: the ancestors of a timeline, oldest first. Comment lines are skipped.
func ParseHistory(content []byte) ([]Switch, error) {
	var out []Switch
	sc := bufio.NewScanner(bytes.NewReader(content))
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) < 2 {
			return out, fmt.Errorf("timeline history line %q: want timeline and position", line)
		}
		tli, err := strconv.ParseUint(f[0], 10, 32)
		if err != nil {
			return out, fmt.Errorf("timeline history line %q: %w", line, err)
		}
		at, err := ParseLSN(f[1])
		if err != nil {
			return out, fmt.Errorf("timeline history: %w", err)
		}
		out = append(out, Switch{TLI: uint32(tli), At: at, Reason: strings.Join(f[2:], " ")})
	}
	return out, sc.Err()
}
