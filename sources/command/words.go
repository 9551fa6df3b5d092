package command

import (
	"strings"

	"inquest/sources"
)

// words splits arguments as a shell would, with quotes and backslashes and
// nothing else: no variable, glob or substitution is read.
func words(text string) ([]string, error) {
	var out []string
	var word strings.Builder
	begun := false
	var quote rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, &sources.Blind{Why: "the arguments " + text + " end inside quotes", Opens: "close them"}
	}
	if begun {
		out = append(out, word.String())
	}
	return out, nil
}

// has reports whether one of the options is among the arguments.
func has(args []string, options ...string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		for _, o := range options {
			if a == o || strings.HasPrefix(a, o+"=") || (len(o) == 2 && strings.HasPrefix(a, o)) {
				return true
			}
		}
	}
	return false
}
