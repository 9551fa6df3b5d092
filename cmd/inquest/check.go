package main

import (
	"context"

	"inquest/ui/backend"
)

var (
	_ backend.Checker   = (*session)(nil)
	_ backend.Connected = (*session)(nil)
)

// Check asks the sources what they can answer, unless they have been asked in
// this case already.
func (s *session) Check(ctx context.Context) error {
	if s.readOnly != "" || len(s.sources) == 0 || len(s.State().Sources) > 0 {
		return nil
	}
	_, err := s.runner.CheckSources(ctx, checkLimit)
	return err
}

// CannotRun says why no probe can be run.
func (s *session) CannotRun() string {
	if len(s.sources) == 0 {
		return errNoSources.Error()
	}
	return ""
}
