package uitest

import (
	"context"

	"inquest/ui/backend"
)

// Connect keeps what was asked for and opens the case.
func (f *Fake) Connect(_ context.Context, path string, c backend.NewCase) (backend.Session, error) {
	f.mu.Lock()
	f.Connected = append(f.Connected, c)
	f.Apart = ""
	f.mu.Unlock()
	if f.OpenErr != nil {
		return nil, f.OpenErr
	}
	return f.session(path, RecordID), nil
}

// Asked has the sources that the case was connected with last.
func (s *session) Asked() (backend.NewCase, string) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if n := len(s.f.Connected); n > 0 {
		return s.f.Connected[n-1], s.f.ReadOnly
	}
	return backend.NewCase{}, s.f.ReadOnly
}

// Places are three kinds of further sources.
var Places = []backend.Place{
	{Word: "ssh", Value: "HOST:PATH", Means: "logs on another host: a file with its rotations, a glob or a folder, searched there by your own ssh"},
	{Word: "journal", Value: "UNIT", Means: "the systemd journal, of one unit or all of it", Bare: true},
	{Word: "command", Value: "NAME=CMD", Means: "any command whose output is a log"},
}
