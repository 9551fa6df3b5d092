// Package plain is the program without screens: the same walk as labelled lines
// of text, one below the other, for screen readers, pipes and logs. It reads
// commands and answers line by line; the end of its input ends it.
package plain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
	"inquest/ui/typed"
	"inquest/ui/when"
)

// Options are all that the walk is given from outside. In, Out, Now and Zone
// are required.
type Options struct {
	Backend backend.Backend
	In      io.Reader
	Out     io.Writer
	Start   string // path of a case to open at once
	Drill   string // practice incident to start at once
	Folder  string // where cases are saved, for people
	Now     func() time.Time
	Zone    *time.Location
}

// Run walks until the person leaves or the input ends. It returns ctx's error
// when that ended first. What was recorded is on disk at any moment.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &walker{o: o, lines: make(chan string)}
	go w.read(ctx)
	err := w.home(ctx)
	if errors.Is(err, errEnd) {
		err = nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// errEnd says that the input has ended or that the person wants to leave.
var errEnd = errors.New("the end")

type walker struct {
	o     Options
	lines chan string
	mu    sync.Mutex // probes tell of their progress from several goroutines
}

// read hands the lines of the input over; it ends with the input or with ctx,
// at the latest when one more line comes.
func (w *walker) read(ctx context.Context) {
	defer close(w.lines)
	s := bufio.NewScanner(w.o.In)
	for s.Scan() {
		select {
		case w.lines <- s.Text():
		case <-ctx.Done():
			return
		}
	}
}

// say writes lines; what others wrote cannot drive the terminal.
func (w *walker) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range text.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintln(w.o.Out, line)
	}
}

// label writes a labelled line; an empty value writes nothing.
func (w *walker) label(name, value string) {
	if value != "" {
		w.say("%-10s %s", name+":", strings.ReplaceAll(value, "\n", "\n           "))
	}
}

// ask writes a prompt as a line of its own and returns the next line.
func (w *walker) ask(ctx context.Context, prompt string) (string, error) {
	w.mu.Lock()
	fmt.Fprintln(w.o.Out, "? "+text.Clean(prompt))
	w.mu.Unlock()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line, ok := <-w.lines:
		if !ok {
			return "", errEnd
		}
		return strings.TrimSpace(line), nil
	}
}

func (w *walker) home(ctx context.Context) error {
	w.say("inquest: what happened to this record?")
	switch {
	case w.o.Start != "":
		if err := w.open(ctx, w.o.Start); err != nil {
			return err
		}
	case w.o.Drill != "":
		if err := w.drill(ctx, w.o.Drill); err != nil {
			return err
		}
	}
	for {
		list, err := w.list(ctx)
		if err != nil {
			return err
		}
		line, err := w.ask(ctx, "home: a number opens a case, new, drill, quit")
		if err != nil {
			return err
		}
		if err := w.homeCommand(ctx, line, list); err != nil {
			return err
		}
	}
}

func (w *walker) list(ctx context.Context) ([]backend.CaseSummary, error) {
	list, err := w.o.Backend.List(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		w.label("error", "the list of cases could not be read: "+err.Error())
	}
	w.say("")
	w.label("cases", fmt.Sprintf("%d in %s", len(list), w.o.Folder))
	for i, c := range list {
		state := theme.FateWords(c.Fate)
		if c.Standing != "" {
			state += ", " + string(c.Standing)
		}
		switch {
		case c.Broken != "":
			state = "broken: " + c.Broken
		case c.Locked:
			state += ", in use elsewhere"
		}
		w.say("case %d: %s %s, %s, %s", i+1, c.Record, c.Table, state, parts.Ago(c.Updated, w.o.Now()))
	}
	return list, nil
}

func (w *walker) homeCommand(ctx context.Context, line string, list []backend.CaseSummary) error {
	if n, err := strconv.Atoi(line); err == nil {
		if n < 1 || n > len(list) {
			w.label("error", fmt.Sprintf("there is no case %d", n))
			return nil
		}
		return w.open(ctx, list[n-1].Path)
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
		return nil
	case "n", "new":
		return w.newCase(ctx, rest)
	case "t", "d", "drill":
		return w.drill(ctx, rest)
	case "q", "quit", "exit":
		return errEnd
	}
	w.label("help", "type the number of a case, new RECORD_ID, drill NAME, or quit")
	return nil
}

func (w *walker) open(ctx context.Context, path string) error {
	s, err := w.o.Backend.Open(ctx, path)
	return w.enter(ctx, s, err)
}

// drill starts the named practice incident, or lists them.
func (w *walker) drill(ctx context.Context, name string) error {
	for i, d := range w.o.Backend.Drills() {
		switch {
		case name == d.ID || name == strconv.Itoa(i+1):
			if d.Unavailable != "" {
				w.label("error", d.Unavailable)
				return nil
			}
			w.label("drill", d.Title)
			w.label("story", d.Story)
			s, err := w.o.Backend.StartDrill(ctx, d.ID, func(p backend.Progress) { w.label("building", p.What) })
			return w.enter(ctx, s, err)
		case name == "":
			w.say("drill %d: %s: %s", i+1, d.ID, d.Title)
		}
	}
	if name != "" {
		w.label("error", "there is no drill "+name)
		return nil
	}
	line, err := w.ask(ctx, "drill: its number or name, or nothing to go back")
	if err != nil || line == "" {
		return err
	}
	return w.drill(ctx, line)
}

// newCase asks for what a case needs, one line each.
func (w *walker) newCase(ctx context.Context, record string) error {
	def, err := w.o.Backend.Defaults(ctx)
	if err != nil {
		w.label("error", err.Error())
	}
	c := def.Case
	c.Record = record
	if record == "" {
		if c.Record, err = w.ask(ctx, "record id (required)"); err != nil {
			return err
		}
	}
	if id, cut := typed.RecordID(c.Record); cut {
		c.Record = id
		w.label("record", id+", without what stood around it")
	}
	if c.Table, err = w.ask(ctx, "table, if you know it"); err != nil {
		return err
	}
	if err := w.askSources(ctx, &c, def); err != nil {
		return err
	}
	if err := w.askTime(ctx, &c); err != nil {
		return err
	}
	err = w.o.Backend.CheckSources(ctx, c, func(s sources.Status) { w.source(s) })
	if err != nil {
		w.label("error", err.Error())
	}
	s, err := w.o.Backend.Create(ctx, c)
	return w.enter(ctx, s, err)
}

// askSources asks where to look, one line each, and for further places until
// nothing is typed. What is left empty stays as it is.
func (w *walker) askSources(ctx context.Context, c *backend.NewCase, def backend.Defaults) error {
	for _, q := range []struct {
		ask string
		put func(string)
	}{
		{"profile: " + profiles(def.Profiles), func(s string) { c.Profile = s }},
		{"database connection, such as postgres://user@host/db; several: put ; between them", func(s string) { c.Databases = typed.Databases(s) }},
		{"logs: paths, separated by blanks", func(s string) { c.Logs = strings.Fields(s) }},
		{"folder with WAL", func(s string) { c.WAL = []string{s} }},
	} {
		line, err := w.ask(ctx, q.ask)
		if err != nil {
			return err
		}
		if line != "" {
			q.put(line)
		}
	}
	var each []string
	for _, p := range def.Places {
		each = append(each, strings.TrimSpace(p.Word+" "+p.Value))
	}
	for first := true; len(each) > 0; first = false {
		line, err := w.ask(ctx, "another place: "+strings.Join(each, ", ")+", or nothing")
		if err != nil || line == "" {
			return err
		}
		if first {
			c.Places = nil
		}
		c.Places = append(c.Places, typed.Place(line))
	}
	return nil
}

func (w *walker) askTime(ctx context.Context, c *backend.NewCase) error {
	for {
		line, err := w.ask(ctx, "when was it last known good ("+when.Examples+"), or nothing")
		if err != nil || line == "" {
			return err
		}
		r, err := when.Parse(line, w.o.Now(), w.o.Zone)
		switch {
		case err != nil:
			w.label("error", err.Error())
		case len(r.Ambiguous) > 0:
			w.label("error", r.Echo+": write it as 2025-11-27")
		default:
			w.label("time", r.Echo)
			c.At = r.Time
			return nil
		}
	}
}

func profiles(list []backend.Profile) string {
	if len(list) == 0 {
		return "none is configured"
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
