package parts

import (
	"fmt"
	"time"

	"inquest/ui/text"
)

// Bar returns a progress bar of w cells; with an unknown total it is empty.
func Bar(done, total int64, w int) string {
	if total <= 0 || w <= 0 {
		return ""
	}
	n := int(min(done, total) * int64(w) / total)
	return text.Repeat("█", n) + text.Repeat("▁", w-n)
}

// Rate says how far work is: share, amount, rate and time left, as far as known.
func Rate(done, total int64, elapsed time.Duration) string {
	s := ""
	if total > 0 {
		s = fmt.Sprintf("%d %% of %s", min(done, total)*100/total, Amount(total))
	} else if done > 0 {
		s = Amount(done)
	}
	if elapsed < 500*time.Millisecond || done <= 0 {
		return s
	}
	perSecond := float64(done) / elapsed.Seconds()
	s += fmt.Sprintf(" · %s/s", Amount(int64(perSecond)))
	if total > done && perSecond > 0 {
		s += " · " + Span(time.Duration(float64(total-done)/perSecond*float64(time.Second))) + " left"
	}
	return s
}

// Amount writes a count of bytes or rows shortly.
func Amount(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "Gi"}, {1 << 20, "Mi"}, {1 << 10, "Ki"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d", n)
}

// Span writes a duration for people: the two largest units.
func Span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m != 0 && d < 10*time.Hour {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

// Ago says how long before now t was.
func Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "–"
	case d < 0:
		return "in " + Span(d)
	case d < 10*time.Second:
		return "now"
	case d < time.Hour:
		return Span(d) + " ago"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return Span(d) + " ago"
	}
}
