package investigations

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"inquest/sources"
)

// longEvent is the JSON size above which one event is shortened, and longText
// what is then kept of each of its texts.
const (
	longEvent = 64 << 10
	longText  = 8 << 10
)

// shortenAll shortens the events that are too long, in a copy, and says how many
// it shortened.
func shortenAll(events []sources.Event, keep []string) ([]sources.Event, int) {
	out, n := events, 0
	for i, e := range events {
		raw, err := json.Marshal(e)
		if err != nil || len(raw) <= longEvent {
			continue
		}
		if n == 0 {
			out = append([]sources.Event(nil), events...)
		}
		out[i] = shortenEvent(e, keep)
		n++
	}
	return out, n
}

func shortenEvent(e sources.Event, keep []string) sources.Event {
	e.Raw, e.Message, e.Path = shorten(e.Raw, keep), shorten(e.Message, keep), shorten(e.Path, keep)
	e.Fields = maps.Clone(e.Fields)
	room := longEvent / 4
	for k, v := range e.Fields {
		v = shorten(v, keep)
		if len(e.Fields) > 100 || len(v) > longText/8 {
			v = shortenTo(v, longText/8, keep)
		}
		e.Fields[k] = v
		room -= len(k) + len(v)
	}
	if room < 0 {
		e.Fields = nil // they stand in Raw
	}
	return e
}

func shorten(s string, keep []string) string { return shortenTo(s, longText, keep) }

// shortenTo keeps the beginning of s and, when one of keep stands further on,
// what is around it.
func shortenTo(s string, most int, keep []string) string {
	if len(s) <= most {
		return s
	}
	head := s[:runeStart(s, most)]
	for _, k := range keep {
		at := strings.Index(s, k)
		if k == "" || at < 0 || at+len(k) <= len(head) {
			continue
		}
		from, to := runeStart(s, max(at-most/4, len(head))), runeStart(s, min(at+len(k)+most/4, len(s)))
		return fmt.Sprintf("%s … [%d bytes left out] … %s … [%d bytes left out]", head, from-len(head), s[from:to], len(s)-to)
	}
	return fmt.Sprintf("%s … [%d bytes left out]", head, len(s)-len(head))
}

// runeStart moves i back to where a rune begins.
func runeStart(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// partial says what KeepEvents left out when it kept the first n events.
func partial(events []sources.Event, n, short int) string {
	var out []string
	if left := len(events) - n; left > 0 {
		out = append(out, fmt.Sprintf("%d of %d lines left out: %s to %s", left, len(events), events[n].Position, events[len(events)-1].Position))
	}
	if short > 0 {
		out = append(out, fmt.Sprintf("%d long lines shortened", short))
	}
	return strings.Join(out, "; ")
}
