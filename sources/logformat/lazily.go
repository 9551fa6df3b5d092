package logformat

import (
	"regexp"
	"sync"
)

// lazily returns a regular expression that is compiled when it is first needed:
// most logs need few of them, and a program that reads no log none.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
