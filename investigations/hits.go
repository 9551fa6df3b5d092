package investigations

import (
	"cmp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"inquest/sources"
)

// Hits are the log events that a running probe came upon before it ended. Secrets
// are cut from them; control characters are not, which is for whoever shows them.
type Hits struct {
	Count int   // each event once, however many searches found it
	First []Hit // the first of them in the order they were found, mostHits at most; never changed
}

// Hit is one of them.
type Hit struct {
	Time     time.Time // on its source's clock; zero: not known
	Unclear  bool      // the time is not the line's own, or has no zone
	Source   string
	Position string // such as "app.log:123"
	Level    sources.Level
	Text     string // one line, mostHitText bytes at most
}

const (
	mostHits    = 8
	mostHitText = 400
)

// live is what a probe has told while it runs.
type live struct {
	mu          sync.Mutex
	done, total int64
	note        string
	hits        Hits
	seen        map[string]struct{} // source and position of every hit
}

func (l *live) update() Update {
	return Update{Done: l.done, Total: l.total, Note: l.note, Hits: l.hits}
}

// Found tells of an event that a search came upon, so that it is seen before the
// search ends. It keeps nothing: evidence comes by KeepEvents. Of all but the first hits
// only the number is told, with the next Progress.
func (c *Collector) Found(e sources.Event) {
	if c.tell == nil {
		return
	}
	l := &c.live
	l.mu.Lock()
	key := e.Source + "\x00" + e.Position
	if _, again := l.seen[key]; again {
		l.mu.Unlock()
		return
	}
	if l.seen == nil {
		l.seen = map[string]struct{}{}
	}
	l.seen[key] = struct{}{}
	l.hits.Count++
	shown := len(l.hits.First) < mostHits
	if shown {
		l.hits.First = append(l.hits.First[:len(l.hits.First):len(l.hits.First)], c.hit(e))
	}
	u := l.update()
	l.mu.Unlock()
	if shown {
		c.tell(u)
	}
}

// hit is what is shown of an event: secrets are cut before it is clipped, for half
// a secret is not recognised.
func (c *Collector) hit(e sources.Event) Hit {
	said := cmp.Or(e.Message, e.Raw)
	if e.Method != "" && e.Path != "" && e.Status != 0 {
		said = e.Method + " " + e.Path + " → " + strconv.Itoa(e.Status)
	}
	said, _, _ = strings.Cut(strings.TrimLeft(c.clean(said), "\r\n"), "\n")
	if len(said) > mostHitText {
		cut := mostHitText - len("…")
		for cut > 0 && !utf8.RuneStart(said[cut]) {
			cut--
		}
		said = said[:cut] + "…"
	}
	return Hit{
		Time: e.Time, Unclear: e.NoTime || e.ZoneUnknown || e.Time.IsZero(), Source: e.Source,
		Position: c.clean(e.Position), Level: e.Level, Text: said,
	}
}
