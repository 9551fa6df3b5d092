// Command demo shows the screens over a backend that is made up, for looking at
// them in a terminal: go run ./ui/uitest/demo [hostile] [ascii] [readonly].
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"inquest/ui"
	"inquest/ui/uitest"
)

func main() {
	f := uitest.NewFake()
	f.Slow, f.Real = true, true
	f.Hostile = slices.Contains(os.Args, "hostile")
	if slices.Contains(os.Args, "readonly") {
		f.ReadOnly = "another process has this case open: following along"
	}
	err := ui.Run(context.Background(), ui.Options{Backend: f, Getenv: os.Getenv, ASCII: slices.Contains(os.Args, "ascii"), Folder: "~/.local/share/inquest"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
