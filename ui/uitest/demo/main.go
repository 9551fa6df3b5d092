// Command demo shows the screens over a backend that is made up, for looking at
// them in a terminal: go run ./ui/uitest/demo [hostile] [ascii] [readonly] [panic].
// With panic, t breaks the screen itself and e breaks work beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"inquest/ui"
	"inquest/ui/uitest"
)

// breaking is a backend with a mistake in it.
type breaking struct{ *uitest.Fake }

// Drills is called from the screen.
func (breaking) Drills() []ui.Drill { panic("the list of drills is broken") }

// Export is called beside the screen.
func (breaking) Export(context.Context, ui.Session, string) (string, error) {
	panic("the report is broken")
}

func main() {
	f := uitest.NewFake()
	f.Slow, f.Real = true, true
	f.Hostile = slices.Contains(os.Args, "hostile")
	if slices.Contains(os.Args, "readonly") {
		f.ReadOnly = "another process has this case open: following along"
	}
	var b ui.Backend = f
	if slices.Contains(os.Args, "panic") {
		b = breaking{f}
	}
	err := ui.Run(context.Background(), ui.Options{Backend: b, Getenv: os.Getenv, ASCII: slices.Contains(os.Args, "ascii"), Folder: "~/.local/share/inquest"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
