package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"inquest/investigations/asked"
	"inquest/sources"
)

// remarks are what is told of the flags at once, before the long work starts: what
// does not fit and can be right all the same. What cannot is an error.
func (r request) remarks() []string {
	var out []string
	if strings.Contains(r.Record, "://") {
		say := fmt.Sprintf("the record id %s is an address: give the id alone, if the rest is not part of it", r.Record)
		if u, err := url.Parse(r.Record); err == nil && path.Base(u.Path) != "/" && path.Base(u.Path) != "." {
			say += ", such as " + path.Base(u.Path)
		}
		out = append(out, say)
	}
	for _, p := range r.Logs {
		if p != "-" {
			out = append(out, pathRemark("--logs", p)...)
		}
	}
	for _, p := range r.WAL {
		out = append(out, pathRemark("--wal", p)...)
	}
	if r.Repo != "" {
		out = append(out, pathRemark("--repo", r.Repo)...)
	}
	return out
}

// nearPath says of a source whose path is not there what is near it, or "".
func (r request) nearPath(st sources.Status) string {
	if st.State != sources.StateFailed {
		return ""
	}
	paths := map[sources.Kind][]string{sources.KindLog: r.Logs, sources.KindWAL: r.WAL, sources.KindRepo: {r.Repo}}[st.Kind]
	for _, p := range paths {
		if say := pathRemark("", p); len(say) > 0 && p != "" && p != "-" {
			return strings.TrimSpace(say[0])
		}
	}
	return ""
}

// formatRemarks tells of formats that were forced on logs that no flag names.
func (r request) formatRemarks() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.Formats)) {
		if r.named[name] == "" {
			names := slices.Sorted(maps.Keys(r.named))
			say := fmt.Sprintf("--format %s=%s: no log goes by that name", name, r.Formats[name])
			if near := asked.Near(name, names, 3); len(near) > 0 {
				say += ". Did you mean " + asked.Or(near) + "?"
			}
			out = append(out, say)
		}
	}
	return out
}

// pathRemark tells of a path that is not there how far it is, and what is beside
// where it should be.
func pathRemark(flag, given string) []string {
	if strings.ContainsAny(given, "*?[") {
		if found, err := filepath.Glob(given); err != nil || len(found) > 0 {
			return nil // a bad pattern is told by the source
		}
	} else if _, err := os.Stat(given); err == nil || !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	rest, dir := filepath.Base(given), filepath.Dir(given)
	for dir != filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			break
		}
		rest, dir = filepath.Base(dir), filepath.Dir(dir)
	}
	say := fmt.Sprintf("%s %s: there is no such file or folder", flag, given)
	if strings.ContainsAny(given, "*?[") {
		say = fmt.Sprintf("%s %s: nothing fits it", flag, given)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{say}
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	switch near := nearPaths(rest, names); {
	case len(near) > 0:
		say += ". Did you mean " + asked.Or(near) + "?"
	case len(names) == 0:
		say += fmt.Sprintf(": %s is empty", here(dir))
	default:
		say += fmt.Sprintf(". In %s there is %s", here(dir), firstNames(entries))
	}
	return []string{say}
}

// nearPaths are the paths whose last part is near the word; a file's ending and the
// signs of a pattern do not count.
func nearPaths(word string, paths []string) []string {
	stem := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune("*?[]", r) {
				return -1
			}
			return r
		}, filepath.Base(s))
		return strings.ReplaceAll(strings.TrimSuffix(s, filepath.Ext(s)), ".", "_")
	}
	byStem := map[string][]string{}
	for _, p := range paths {
		byStem[stem(p)] = append(byStem[stem(p)], p)
	}
	var out []string
	for _, s := range asked.Near(stem(word), slices.Sorted(maps.Keys(byStem)), 3) {
		out = append(out, byStem[s]...)
	}
	return out[:min(len(out), 3)]
}

func here(dir string) string {
	if dir == "." {
		return "this folder"
	}
	return dir
}

func firstNames(entries []os.DirEntry) string {
	const most = 4
	var names []string
	for _, e := range entries[:min(len(entries), most)] {
		names = append(names, e.Name())
	}
	s := strings.Join(names, ", ")
	if more := len(entries) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// checkAsked looks up what was typed on the servers, once for the same words.
func (p *program) checkAsked(ctx context.Context, list []sources.Source, table, role string) ([]string, error) {
	var out []string
	for _, r := range asked.Check(ctx, list, table, role) {
		flag := map[string]string{asked.Table: "--table " + table, asked.Role: "--as " + role}[r.About]
		if r.Wrong {
			return nil, usage("%s: %s", flag, r)
		}
		out = append(out, flag+": "+r.String())
	}
	return out, nil
}

// remark tells remarks on standard error, each once: they are said also where no
// progress is.
func (p *program) remark(list []string) {
	for _, say := range list {
		if !p.remarked[say] {
			if p.remarked == nil {
				p.remarked = map[string]bool{}
			}
			p.remarked[say] = true
			p.say("check " + say)
		}
	}
}
