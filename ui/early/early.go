// Package early keeps Bubble Tea from asking the terminal for its background
// while the program is still starting. Bubble Tea v1 does so when it is loaded:
// one round trip over ssh, and up to five seconds in a terminal that stays
// silent, even for commands that never show a screen. The package background
// asks behind the first frame instead.
//
// The package imports only the standard library, so the language guarantees
// that it is loaded before Bubble Tea (which needs packages whose paths sort
// behind this one). termenv asks nothing when CI is set; Restore takes that
// back as soon as Bubble Tea has been loaded.
package early

import "os"

const name = "CI"

var ours = set()

func set() bool {
	if os.Getenv(name) != "" {
		return false
	}
	return os.Setenv(name, "1") == nil
}

// Restore leaves the environment as it was found. It reports whether there was
// anything to take back, and may be called more than once.
func Restore() bool {
	if !ours {
		return false
	}
	ours = false
	return os.Unsetenv(name) == nil
}
