package task

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func answer(v any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return v, nil }
}

func TestLateAnswersAreRefused(t *testing.T) {
	var s, other Slot
	first := s.Start(context.Background(), answer(1))
	second := s.Start(context.Background(), answer(2))
	late, ok := first().(Done)
	if !ok || s.Take(late) {
		t.Fatal("the older run was taken")
	}
	d, _ := second().(Done)
	if other.Take(d) || !s.Take(d) || d.Value != 2 || s.Busy() {
		t.Fatalf("%+v", d)
	}
	if s.Take(d) {
		t.Fatal("one answer was taken twice")
	}
}

func TestStartCancelsTheOlderRun(t *testing.T) {
	var s Slot
	first := s.Start(context.Background(), func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	s.Start(context.Background(), answer(2))
	if d, _ := first().(Done); !errors.Is(d.Err, context.Canceled) {
		t.Fatalf("%+v", d)
	}
}

func TestInterruptedRunIsStillTaken(t *testing.T) {
	var s Slot
	cmd := s.Start(context.Background(), func(ctx context.Context) (any, error) { <-ctx.Done(); return "kept", ctx.Err() })
	if !s.Interrupt() {
		t.Fatal("nothing to interrupt")
	}
	if d, _ := cmd().(Done); !s.Take(d) || d.Value != "kept" {
		t.Fatalf("%+v", d)
	}
}

func TestStoppedRunIsRefused(t *testing.T) {
	var s Slot
	cmd := s.Start(context.Background(), answer(1))
	s.Stop()
	if d, _ := cmd().(Done); s.Take(d) || s.Busy() {
		t.Fatal("taken after Stop")
	}
}

// TestAPanicIsAnAnswer keeps a mistake of one piece of work to that piece.
func TestAPanicIsAnAnswer(t *testing.T) {
	var s Slot
	d, ok := s.Start(t.Context(), func(context.Context) (any, error) { panic("broken") })().(Done)
	if !ok || !s.Take(d) || d.Err == nil || !strings.Contains(d.Err.Error(), "made a mistake here, and goes on: broken\n") || !strings.Contains(d.Err.Error(), "task_test.go") {
		t.Fatalf("%+v", d)
	}
	if s.Busy() {
		t.Error("still busy")
	}
}
