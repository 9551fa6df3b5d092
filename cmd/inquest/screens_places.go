package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"inquest/ui/backend"
)

// placeWords are the flags whose sources the New form takes one a line, beside
// those that have a field of their own.
var placeWords = []string{"ssh", "kubectl", "docker", "journal", "command", "loki", "elastic", "wal-fetch"}

// places are the kinds of further sources, as the flags describe them: the
// description may begin with what follows the word.
func places() []backend.Place {
	flags := pflag.NewFlagSet("places", pflag.ContinueOnError)
	new(caseFlags).register(flags)
	var out []backend.Place
	for _, word := range placeWords {
		f := flags.Lookup(word)
		if f == nil {
			continue
		}
		value, means := pflag.UnquoteUsage(f)
		out = append(out, backend.Place{Word: word, Value: value, Means: strings.TrimSuffix(means, "; repeatable"), Bare: f.NoOptDefVal != ""})
	}
	return out
}

// placeFlags reads further places, each a word and its value, as flags are read.
func placeFlags(list []string) (caseFlags, error) {
	var f caseFlags
	flags := pflag.NewFlagSet("places", pflag.ContinueOnError)
	f.register(flags)
	for _, text := range list {
		word, value, _ := strings.Cut(strings.TrimSpace(text), " ")
		known := flags.Lookup(word)
		if known == nil || !slices.Contains(placeWords, word) {
			return f, usage("%q is none of the places that can be named here: %s", word, strings.Join(placeNames(), ", "))
		}
		if value = strings.TrimSpace(value); value == "" {
			value = known.NoOptDefVal
		}
		if value == "" {
			name, _ := pflag.UnquoteUsage(known)
			return f, usage("%s needs its %s behind it", word, name)
		}
		if err := flags.Set(word, value); err != nil {
			return f, usage("%s: %w", word, err)
		}
	}
	return f, nil
}

func placeNames() []string {
	var out []string
	for _, p := range places() {
		out = append(out, p.Word)
	}
	return out
}
