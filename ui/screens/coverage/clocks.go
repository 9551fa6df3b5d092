package coverage

import (
	"fmt"
	"slices"

	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// merged returns one coverage for each source: several probes may have read the
// same one, and the fullest reading tells most.
func merged(all []sources.Coverage) []sources.Coverage {
	var out []sources.Coverage
	for _, c := range all {
		i := slices.IndexFunc(out, func(o sources.Coverage) bool { return o.Source == c.Source })
		switch {
		case i < 0:
			out = append(out, c)
		case fuller(c, out[i]):
			out[i] = c
		}
	}
	return out
}

func fuller(a, b sources.Coverage) bool {
	if a.From.IsZero() != b.From.IsZero() {
		return b.From.IsZero()
	}
	return a.To.Sub(a.From) > b.To.Sub(b.From) || a.To.Sub(a.From) == b.To.Sub(b.From) && a.Lines > b.Lines
}

// offsets says how far clocks are apart, where an event that two sources saw
// tells. No time is corrected by it.
func (s *Screen) offsets(f nav.Frame) [][]string {
	t := f.Theme
	var out [][]string
	for _, c := range s.live.Snap.Assessment.Clocks {
		mark, st := " ✓ ", t.Text
		if c.Differs() {
			mark, st = " ⚠ ", t.Weak
		}
		say := fmt.Sprintf("%+d ms ± %d ms against %s, from %s", c.Offset.Milliseconds(), c.Error.Milliseconds(), text.Clean(c.Against), text.Clean(c.From))
		out = append(out, parts.Para(f, st, mark+text.Clean(c.Source)+"  ", say))
	}
	return out
}

// clocks says of each source by which clock its times were written, as far as
// that is known: only times of one clock can be ordered to the millisecond.
func (s *Screen) clocks(f nav.Frame) parts.Section {
	all := merged(s.live.Snap.Assessment.Coverage)
	if len(all) == 0 {
		return parts.Section{}
	}
	t := f.Theme
	var out [][]string
	for _, src := range s.live.Snap.State.Sources {
		if zone := src.Identity["setting.log_timezone"]; zone != "" {
			out = append(out, parts.Para(f, t.Text, " ✓ "+text.Clean(src.Source)+"  ", "the server's own clock; it logs in "+zone+", and WAL times are in UTC to the microsecond"))
		}
	}
	for _, c := range all {
		name := text.Clean(c.Source) + "  "
		switch {
		case c.From.IsZero():
			out = append(out, parts.Para(f, t.Blind, " ⊘ "+name, "carries no times: its lines say that, not when"))
		case c.ZoneUnknown:
			out = append(out, parts.Para(f, t.Weak, " ⚠ "+name, "written without a zone and read as UTC: may be off by whole hours; --tz settles it"))
		default:
			out = append(out, parts.Para(f, t.Text, " ✓ "+name, "times with a zone, by the clock of its own host"))
		}
	}
	out = append(out, s.offsets(f)...)
	say := "WAL and the server log share one clock. Between sources whose clocks were not compared, differences of a second or less prove no order."
	return parts.Section{Heading: "Clocks", Passages: append(out, parts.Para(f, t.Dim, " ", say))}
}
