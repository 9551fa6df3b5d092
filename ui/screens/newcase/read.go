package newcase

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/typed"
	"inquest/ui/when"
)

// instant reads a time field; an empty one is the zero time.
func (s *Screen) instant(f *field) (when.Result, error) {
	if value(f) == "" {
		return when.Result{}, nil
	}
	return when.Parse(value(f), s.now(), s.zone)
}

// errAmbiguous says that a date must be chosen first.
var errAmbiguous = errors.New("the date can be read in two ways")

// build reads the whole form. The field of the first mistake comes with it; what
// names sources is read all the same.
func (s *Screen) build() (backend.NewCase, *field, error) {
	c := s.base
	c.Profile = s.value(fieldProfile)
	c.Databases, c.Logs, c.WAL = typed.Databases(s.value(fieldDatabases)), typed.List(s.value(fieldLogs)), typed.List(s.value(fieldWAL))
	c.API, c.Repo, c.AppRole, c.Zone = s.value(fieldAPI), s.value(fieldRepo), s.value(fieldRole), s.value(fieldZone)
	c.Places = nil
	for _, p := range s.places {
		if text := value(p); text != "" {
			c.Places = append(c.Places, typed.Place(text))
		}
	}
	if s.path == "" {
		c.Table = s.value(fieldTable)
		c.Record, _ = typed.RecordID(s.value(fieldRecord))
		if bad, err := s.readCase(&c); err != nil {
			return c, bad, err
		}
	}
	if c.API != "" && !strings.Contains(c.API, "{id}") {
		return c, s.fields[fieldAPI], fmt.Errorf("the URL needs {id} where the record's id goes")
	}
	for _, p := range s.places {
		if why := s.notAPlace(p); why != "" {
			return c, p, errors.New(why)
		}
	}
	return c, nil, nil
}

// readCase reads what belongs to the case itself.
func (s *Screen) readCase(c *backend.NewCase) (*field, error) {
	if c.Record == "" {
		return s.fields[fieldRecord], errors.New("type the id of the record that is missing")
	}
	if err := (investigations.Record{ID: c.Record}).Validate(); err != nil {
		return s.fields[fieldRecord], err
	}
	var times [fields]time.Time
	for _, id := range []fieldID{fieldAt, fieldFrom, fieldTo} {
		r, err := s.instant(s.fields[id])
		if err != nil {
			return s.fields[id], err
		}
		if len(r.Ambiguous) > 0 {
			return s.fields[id], errAmbiguous
		}
		times[id] = r.Time
	}
	c.At, c.Window = times[fieldAt], sources.Window{From: times[fieldFrom], To: times[fieldTo]}
	if !c.Window.From.IsZero() && !c.Window.To.IsZero() && !c.Window.To.After(c.Window.From) {
		return s.fields[fieldTo], errors.New("the window ends before it begins")
	}
	return nil, nil
}

// notAPlace says why a line names no further place, or "".
func (s *Screen) notAPlace(f *field) string {
	if f.id != fieldPlace || value(f) == "" {
		return ""
	}
	word, rest, _ := strings.Cut(typed.Place(value(f)), " ")
	for _, p := range s.kinds {
		switch {
		case p.Word != word:
		case rest == "" && !p.Bare:
			return word + " needs its " + p.Value + " behind it"
		default:
			return ""
		}
	}
	return fmt.Sprintf("%q is none of %s: begin the line with one of them", word, s.kindWords())
}

func (s *Screen) kindWords() string {
	words := make([]string, 0, len(s.kinds))
	for _, p := range s.kinds {
		words = append(words, p.Word)
	}
	return strings.Join(words, ", ")
}
