package main

import (
	"context"

	"inquest/ui/backend"
)

var (
	_ backend.Checker   = (*session)(nil)
	_ backend.Connected = (*session)(nil)
	_ backend.Asked     = (*session)(nil)
)

// Check asks the sources what they can answer, unless they have been asked since
// the case was opened: what a saved case says of its sources is of then.
func (s *session) Check(ctx context.Context) error {
	s.check.Lock()
	defer s.check.Unlock()
	if s.readOnly != "" || len(s.sources) == 0 || s.checked {
		return nil
	}
	_, err := s.runner.CheckSources(ctx, checkLimit)
	s.checked = err == nil && ctx.Err() == nil
	return err
}

// Asked returns the sources that the case was opened with.
func (s *session) Asked() (c backend.NewCase, why string) {
	switch {
	case s.readOnly != "":
		return c, s.readOnly
	case s.path == "":
		return c, "this is a recording: nothing stands behind it that could be asked"
	case s.asked == nil:
		return c, "a practice incident brings its own sources"
	}
	return *s.asked, ""
}

// CannotRun says why no probe can be run.
func (s *session) CannotRun() string {
	if len(s.sources) == 0 {
		return errNoSources.Error()
	}
	return ""
}
