package investigations

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"inquest/sources"
)

// Collector is what a probe's Collect is given: the record, the sources, what
// is known so far, and a place to put evidence.
type Collector struct {
	Record  Record
	Window  sources.Window
	Options Options
	Sources []sources.Source
	// Statuses are what the sources said of themselves when they were checked.
	Statuses []sources.Status
	// Facts are those of probes of earlier phases, Runs what they collected.
	Facts Facts
	Runs  map[string]Run

	redact Redactor
	now    func() time.Time
	tell   func(Update) // of progress: everything but the probe and the time

	live     live
	mu       sync.Mutex
	items    []Evidence
	coverage []sources.Coverage
	blind    []sources.Blind
}

// Redactor cuts secrets from text and says how many it cut.
type Redactor interface {
	Redact(s string) (string, int)
}

// Able is a source together with one of its optional abilities.
type Able[T any] struct {
	Source  sources.Source
	Ability T
}

// With returns the sources that have the ability T, in the order they were
// named on the command line.
func With[T any](c *Collector) []Able[T] {
	var out []Able[T]
	for _, s := range c.Sources {
		if a, ok := s.(T); ok {
			out = append(out, Able[T]{Source: s, Ability: a})
		}
	}
	return out
}

// Progress reports work done, in bytes or rows; total zero means unknown.
func (c *Collector) Progress(done, total int64, note string) {
	c.live.mu.Lock()
	c.live.done, c.live.total, c.live.note = done, total, note
	u := c.live.update()
	c.live.mu.Unlock()
	if c.tell != nil {
		c.tell(u)
	}
}

// Keep stores v as JSON evidence. Strings in v are redacted one by one, so that
// the JSON stays whole. A body above MaxEvidence is refused: use KeepEvents for
// lists that may be cut.
func (c *Collector) Keep(kind, source, query, tag string, v any) error {
	body, cuts, err := c.redactJSON(v)
	if err != nil {
		return fmt.Errorf("keep evidence from %s: %w", source, err)
	}
	if len(body) > MaxEvidence {
		return &sources.Blind{
			Why:   fmt.Sprintf("the answer of %s is %d KiB, more than the %d KiB that a case keeps of one item", source, len(body)>>10, MaxEvidence>>10),
			Opens: "narrow the window or name the table",
		}
	}
	c.add(Evidence{Kind: kind, Source: source, Query: query, Tag: tag, Body: body, Redacted: cuts})
	return nil
}

// mostItems is how many items the events of one search are kept in at most.
const mostItems = 8

// KeepEvents stores the events, from the first on, in as many items as they need and
// no more than mostItems; the last says how many were left out. A line that is too
// long for an item is shortened, never dropped: what names the record stays in it.
func (c *Collector) KeepEvents(source, query, tag string, events []sources.Event) error {
	events, short := shortenAll(events, c.Record.Values())
	for item := 1; ; item++ {
		n, body, cuts, err := c.fitting(events)
		if err != nil {
			return fmt.Errorf("keep events of %s: %w", source, err)
		}
		e := Evidence{Kind: EvidenceEvents, Source: source, Query: query, Tag: tag, Body: body, Redacted: cuts}
		rest := events[n:]
		if len(rest) > 0 && item < mostItems {
			c.add(e)
			events = rest
			continue
		}
		e.Partial = partial(events, n, short)
		c.add(e)
		return nil
	}
}

// fitting returns how many of the events fit into one item, from the first on, and
// what it holds then.
func (c *Collector) fitting(events []sources.Event) (n int, body string, cuts int, err error) {
	for n = len(events); ; n = min(n-1, n*MaxEvidence/len(body)) {
		body, cuts, err = c.redactJSON(events[:n])
		if err != nil || len(body) <= MaxEvidence {
			return n, body, cuts, err
		}
	}
}

// Cover records what a source really read.
func (c *Collector) Cover(cov sources.Coverage) {
	cov.Limits, cov.Gaps = slices.Clone(cov.Limits), slices.Clone(cov.Gaps)
	for i := range cov.Limits {
		cov.Limits[i] = c.clean(cov.Limits[i])
	}
	for i := range cov.Gaps {
		cov.Gaps[i].Reason = c.clean(cov.Gaps[i].Reason)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coverage = append(c.coverage, cov)
}

// Blind records one thing that could not be looked at; other parts of the same
// probe may still have been.
func (c *Collector) Blind(why, opens string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blind = append(c.blind, sources.Blind{Why: c.clean(why), Opens: c.clean(opens)})
}

func (c *Collector) add(e Evidence) {
	e.Query, e.Position, e.Partial = c.clean(e.Query), c.clean(e.Position), c.clean(e.Partial)
	e.CollectedAt = c.now().UTC()
	e.SHA256 = hashText(e.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items = append(c.items, e)
}

// clean cuts secrets from the words around evidence, such as a command line.
func (c *Collector) clean(s string) string {
	if c.redact != nil {
		s, _ = c.redact.Redact(s)
	}
	return s
}

func (c *Collector) redactJSON(v any) (string, int, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", 0, err
	}
	return redactJSON(raw, c.redact)
}
