package parts

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/task"
)

// Chronicle is a cursor over the moments of a case: some sources may be hidden,
// one request followed, and a filter typed. Only the moments on screen are
// read, and what has to read them all does so beside the screen.
type Chronicle struct {
	Filter  Filter
	Hidden  map[string]bool // by source
	Request string          // the one request that is followed; empty: all

	list  List
	all   backend.Moments
	sieve Sieve
	slot  task.Slot
	jump  *time.Time // to go to when the rows are there
}

// Show gives the chronicle other moments, as after the case has changed.
func (c *Chronicle) Show(all backend.Moments) tea.Cmd {
	c.all = all
	return c.Refresh()
}

// List returns the cursor.
func (c *Chronicle) List() *List { return &c.list }

// Total returns how many moments there are, shown or not.
func (c *Chronicle) Total() int {
	if c.all == nil {
		return 0
	}
	return c.all.Len()
}

// Len returns how many moments are shown.
func (c *Chronicle) Len() int { return c.list.Len() }

// Narrowed reports whether some moments may be hidden.
func (c *Chronicle) Narrowed() bool {
	return c.Filter.Text() != "" || c.Request != "" || c.hides()
}

func (c *Chronicle) hides() bool {
	for _, hidden := range c.Hidden {
		if hidden {
			return true
		}
	}
	return false
}

// Busy reports whether the rows are still being chosen.
func (c *Chronicle) Busy() bool { return c.slot.Busy() }

// Refresh chooses the rows anew. Few are chosen at once, many beside the screen:
// until then the rows stay as they are.
func (c *Chronicle) Refresh() tea.Cmd {
	c.slot.Stop()
	n := c.Total()
	all, request, pattern := c.all, c.Request, c.Filter.Text()
	hidden := map[string]bool{}
	for name, h := range c.Hidden {
		if h {
			hidden[name] = true
		}
	}
	var keep func(int) bool
	if len(hidden) > 0 || request != "" {
		keep = func(i int) bool {
			m := all.At(i)
			return !hidden[m.Source] && (request == "" || m.Request == request)
		}
	}
	text := func(i int) string {
		m := all.At(i)
		return m.Source + " " + m.Summary + " " + m.Request + " " + m.Evidence
	}
	sift := func(ctx context.Context) (any, error) { return Sift(ctx, n, keep, pattern, text) }
	if n < beside || keep == nil && pattern == "" {
		v, _ := sift(context.Background())
		c.take(v)
		return nil
	}
	return c.slot.Start(context.Background(), sift)
}

// Take accepts the answer of the newest Refresh.
func (c *Chronicle) Take(d task.Done) bool {
	if !c.slot.Take(d) {
		return false
	}
	if d.Err == nil {
		c.take(d.Value)
	}
	return true
}

func (c *Chronicle) take(v any) {
	s, ok := v.(Sieve)
	if !ok {
		return
	}
	row := c.sieve.At(c.list.Cursor())
	c.sieve = s
	c.list.SetLen(s.Len())
	if t := c.jump; t != nil {
		c.jump = nil
		c.Jump(*t)
	} else if row >= 0 && row < s.n {
		c.list.Select(s.Place(row))
	}
}

// At returns the moment that is shown in place k.
func (c *Chronicle) At(k int) (investigations.Moment, bool) {
	i := c.sieve.At(k)
	if i < 0 || i >= c.Total() {
		return investigations.Moment{}, false
	}
	return c.all.At(i), true
}

// Selected returns the moment under the cursor.
func (c *Chronicle) Selected() (investigations.Moment, bool) { return c.At(c.list.Cursor()) }

// Jump goes to the first moment at or after t that is shown, or to the last.
func (c *Chronicle) Jump(t time.Time) {
	if c.slot.Busy() {
		c.jump = &t
		return
	}
	if c.all != nil {
		c.list.Select(c.sieve.Place(c.all.Find(t)))
	}
}

// Type hands a key to the filter.
func (c *Chronicle) Type(k tea.KeyMsg) tea.Cmd {
	before := c.Filter.Text()
	c.Filter.Type(k)
	if c.Filter.Text() == before {
		return nil
	}
	return c.Refresh()
}

// Clear drops the filter, or else the request that is followed. It reports
// whether there was one.
func (c *Chronicle) Clear() (bool, tea.Cmd) {
	switch {
	case c.Filter.Clear():
	case c.Request != "":
		c.Request = ""
	default:
		return false, nil
	}
	return true, c.Refresh()
}
