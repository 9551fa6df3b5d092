package logscan

import (
	"path/filepath"
	"slices"
	"strings"

	"inquest/sources"
)

// Grep returns a shell command that finds the same lines by hand.
func Grep(q sources.LogQuery, paths []string) string {
	tools := []string{"grep", "zgrep", "zstdgrep", "xzgrep", "bzgrep", "lz4grep"}
	by := map[string][]string{}
	for _, p := range paths {
		t := toolFor(p)
		by[t] = append(by[t], Quote(p))
	}
	var out []string
	for _, t := range tools {
		if len(by[t]) > 0 {
			out = append(out, one(t, q.Needles, by[t]))
		}
	}
	return strings.Join(out, "; ")
}

func one(tool string, needles []sources.Needle, paths []string) string {
	files := strings.Join(paths, " ")
	unpack := map[string]string{"grep": "cat", "zgrep": "zcat", "zstdgrep": "zstdcat", "xzgrep": "xzcat", "bzgrep": "bzcat", "lz4grep": "lz4cat"}[tool]
	if len(needles) == 0 {
		return unpack + " " + files
	}
	if tool == "lz4grep" {
		return unpack + " " + files + " | " + one("grep", needles, nil)
	}
	words := []string{tool, "-nF"}
	var seen []string
	whole := true
	for _, n := range needles {
		whole = whole && n.Whole
		for _, t := range Texts(n) {
			if !slices.Contains(seen, t) {
				seen = append(seen, t)
				words = append(words, "-e", Quote(t))
			}
		}
	}
	if whole {
		words[1] = "-nwF"
	}
	return strings.TrimSpace(strings.Join(append(words, files), " "))
}

func toolFor(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz":
		return "zgrep"
	case ".zst", ".zstd":
		return "zstdgrep"
	case ".xz":
		return "xzgrep"
	case ".bz2":
		return "bzgrep"
	case ".lz4":
		return "lz4grep"
	}
	return "grep"
}

// Quote writes a word for the shell.
func Quote(s string) string {
	plain := s != ""
	for _, r := range s {
		if (r < '0' || r > '9') && (r|32 < 'a' || r|32 > 'z') && !strings.ContainsRune("/._-+=:@%", r) {
			plain = false
		}
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
