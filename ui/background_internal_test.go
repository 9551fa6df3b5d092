package ui

import (
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/theme"
)

// TestTheTerminalsBackgroundIsTakenUnlessAThemeWasChosen answers for the
// terminal, before and after ctrl+t.
func TestTheTerminalsBackgroundIsTakenUnlessAThemeWasChosen(t *testing.T) {
	a, err := NewApp(t.Context(), Options{}, Hooks{After: func(time.Duration, func() tea.Msg) tea.Cmd { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if a.Update(backgroundIs{dark: true}); a.theme.Mode != theme.Dark {
		t.Errorf("a dark terminal has the theme %s", a.theme.Mode)
	}
	if a.Update(backgroundIs{}); a.theme.Mode != theme.Light {
		t.Errorf("a light terminal has the theme %s", a.theme.Mode)
	}
	a.nextTheme()
	chosen := a.theme.Mode
	if a.Update(backgroundIs{dark: chosen != theme.Dark}); a.theme.Mode != chosen {
		t.Errorf("%s was chosen, and the terminal changed it to %s", chosen, a.theme.Mode)
	}
}
