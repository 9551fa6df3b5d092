package sources

import "time"

// Coverage says what a source really read: without it nothing may be called
// absent.
type Coverage struct {
	Source string `json:"source"`
	// From and To are the times of the first and the last thing read. Both zero
	// means that something was read but carries no time.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Gaps []Gap     `json:"gaps"`
	// ZoneUnknown marks From and To as written without a zone.
	ZoneUnknown bool   `json:"zone_unknown,omitempty"`
	Format      string `json:"format,omitempty"`
	Bytes       int64  `json:"bytes,omitempty"`
	Lines       int64  `json:"lines,omitempty"`
	Unparsed    int64  `json:"unparsed,omitempty"`
	// Limits are reasons why a kind of event would not show here although the
	// stretch was read, such as "log_statement = none: statements are not logged".
	Limits []string `json:"limits,omitempty"`
	// Buckets count lines over time, for the histogram; see BucketWidth.
	Buckets     []int64       `json:"buckets,omitempty"`
	BucketStart time.Time     `json:"bucket_start,omitzero"`
	BucketWidth time.Duration `json:"bucket_width,omitempty"`
}

// Gap is a stretch that the source does not cover: from the last record before
// it to the first one after it.
type Gap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

// Covers reports whether the whole window was read without a gap, so that
// silence in it means something. An open bound of w is never covered. Logs cut
// their times off, to a millisecond or a whole second: the last record may
// stand for all of its.
func (c Coverage) Covers(w Window) bool {
	if c.ZoneUnknown || c.From.IsZero() || w.From.IsZero() || w.To.IsZero() {
		return false
	}
	if c.From.After(w.From) || c.lastMoment().Before(w.To) {
		return false
	}
	for _, g := range c.Gaps {
		if w.Overlaps(Window{From: g.From, To: g.To}) {
			return false
		}
	}
	return true
}

// lastMoment is the latest moment that the log may have written as the time of its
// last record. A log of whole seconds is known by both of its ends.
func (c Coverage) lastMoment() time.Time {
	for _, step := range []time.Duration{time.Second, time.Millisecond} {
		if c.To.Equal(c.To.Truncate(step)) && c.From.Equal(c.From.Truncate(step)) {
			return c.To.Add(step - 1)
		}
	}
	return c.To
}
