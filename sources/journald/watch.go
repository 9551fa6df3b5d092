package journald

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
)

// Message ids of journald itself (systemd's sd-messages.h).
const (
	idDropped = "a596d6fe7bfa4994828e72309e95d61e" // rate limit: Suppressed N messages from UNIT
	idMissed  = "e9bf28e6e834481bb6f48f548ad13606" // Missed N kernel messages
	idClock   = "c7a787079b354eaaa9e77b371893cd27" // the clock was changed
)

const (
	serverLines = 200
	maxUnits    = 10_000
	rateLimit   = 30 * time.Second // journald's RateLimitIntervalSec by default
)

// watcher looks at the entries as they come: for what journald says of itself,
// and for lines of a PostgreSQL server.
type watcher struct {
	last   map[string]int64 // newest entry of each unit, in microseconds
	any    int64
	server []string
	gaps   []sources.Gap
	limits []string
}

func newWatcher() *watcher { return &watcher{last: map[string]int64{}} }

var (
	keyTime = []byte(`"__REALTIME_TIMESTAMP":"`)
	keyUnit = []byte(`"_SYSTEMD_UNIT":"`)
)

func (w *watcher) see(line []byte) {
	at, err := strconv.ParseInt(value(line, keyTime), 10, 64)
	if err != nil {
		return
	}
	if len(w.server) < serverLines && len(line) < 32<<10 && bytes.Contains(line, []byte("postgres")) {
		w.server = append(w.server, strings.TrimSpace(string(line)))
	}
	if bytes.Contains(line, []byte(idDropped)) || bytes.Contains(line, []byte(idMissed)) || bytes.Contains(line, []byte(idClock)) || bytes.Contains(line, []byte(`"Vacuuming done`)) || bytes.Contains(line, []byte(`"Suppressed `)) {
		w.own(line, at)
	}
	if unit := value(line, keyUnit); unit != "" && (len(w.last) < maxUnits || w.last[unit] != 0) {
		w.last[unit] = at
	}
	w.any = at
}

func value(line, key []byte) string {
	i := bytes.Index(line, key)
	if i < 0 {
		return ""
	}
	rest := line[i+len(key):]
	k := bytes.IndexByte(rest, '"')
	if k < 0 {
		return ""
	}
	return string(rest[:k])
}

// own reads an entry that journald wrote about itself. Its transport cannot be
// claimed by another program.
func (w *watcher) own(line []byte, at int64) {
	var e struct {
		Transport string `json:"_TRANSPORT"`
		ID        string `json:"MESSAGE_ID"`
		Unit      string `json:"OBJECT_SYSTEMD_UNIT"`
		Message   any    `json:"MESSAGE"`
	}
	if json.Unmarshal(line, &e) != nil {
		return
	}
	text, _ := e.Message.(string)
	driver := e.Transport == "driver"
	t := time.UnixMicro(at).UTC()
	switch {
	case driver && (e.ID == idDropped || strings.HasPrefix(text, "Suppressed ")):
		unit := e.Unit
		if _, from, ok := strings.Cut(text, " messages from "); unit == "" && ok {
			unit = strings.TrimSpace(from)
		}
		from := t.Add(-rateLimit)
		if last := w.last[unit]; last > 0 && last <= at {
			from = time.UnixMicro(last).UTC()
		}
		w.gaps = append(w.gaps, sources.Gap{From: from, To: t, Reason: "journald's rate limit: " + text})
	case driver && e.ID == idMissed:
		from := time.UnixMicro(w.any).UTC()
		if w.any == 0 {
			from = t
		}
		w.gaps = append(w.gaps, sources.Gap{From: from, To: t, Reason: "journald: " + text})
	case driver && strings.HasPrefix(text, "Vacuuming done"):
		w.limit(fmt.Sprintf("old journal files were deleted at %s: %s", t.Format(time.RFC3339), text))
	case e.ID == idClock:
		w.limit(fmt.Sprintf("the host's clock was changed at %s", t.Format(time.RFC3339)))
	}
}

func (w *watcher) limit(s string) {
	if len(w.limits) < 20 {
		w.limits = append(w.limits, s)
	}
}
