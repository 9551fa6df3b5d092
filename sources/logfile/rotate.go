package logfile

import (
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
)

var (
	packedName   = lazily(`(?i)\.(gz|zst|zstd|xz|bz2|lz4|z)$`)
	numberedName = lazily(`^(.+)\.(\d{1,5})$`)
	datedName    = lazily(`^(.*?)[-._]?(\d{4}-?\d\d-?\d\d(?:[-_T.]?\d\d(?:[-_:]?\d\d){0,2})?)(?:[-._](\d{1,4}))?(\.[A-Za-z]\w*)?$`)
	weekdayName  = lazily(`^(.+)[-._](?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(\.\w+)?$`)
)

// lazily returns a regular expression that is compiled when it is first needed.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// rotation is where a file stands in its stream.
type rotation struct {
	number int    // app.log.3: 3; zero is the current file
	date   string // digits of the date in the name
	byTime bool   // only the file's own time tells (weekday names)
}

// streamOf returns the name that all rotations of a file share.
func streamOf(path string) (stem string, r rotation) {
	dir, name := filepath.Split(path)
	name = packedName().ReplaceAllString(name, "")
	if m := numberedName().FindStringSubmatch(name); m != nil {
		r.number, _ = strconv.Atoi(m[2])
		return dir + m[1], r
	}
	if m := datedName().FindStringSubmatch(name); m != nil && m[1]+m[4] != "" {
		r.date = onlyDigits(m[2])
		if m[3] != "" {
			r.date += "." + strings.Repeat("0", 4-len(m[3])) + m[3]
		}
		return dir + m[1] + m[4], r
	}
	if m := weekdayName().FindStringSubmatch(name); m != nil {
		r.byTime = true
		return dir + m[1] + m[2], r
	}
	return dir + name, r
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// group joins the files of one stream, oldest first. The order of the streams
// is that of their names.
func group(files []*member) []*Stream {
	byStem := map[string]*Stream{}
	var out []*Stream
	for _, m := range files {
		stem, r := streamOf(m.Path)
		m.rotation = r
		s := byStem[stem]
		if s == nil {
			s = &Stream{stem: stem}
			byStem[stem] = s
			out = append(out, s)
		}
		s.members = append(s.members, m)
	}
	for _, s := range out {
		sort.SliceStable(s.members, func(i, j int) bool { return older(s.members[i], s.members[j]) })
		if len(s.members) == 1 {
			s.stem = s.members[0].Path
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].stem < out[j].stem })
	return out
}

// older orders two files of a stream: by date, then by number downwards; the
// one without either is being written and comes last.
func older(a, b *member) bool {
	x, y := a.rotation, b.rotation
	switch {
	case x.byTime || y.byTime:
		return a.ModTime.Before(b.ModTime)
	case x.date != y.date:
		return y.date == "" || (x.date != "" && x.date < y.date)
	case x.number != y.number:
		return x.number > y.number
	}
	return a.ModTime.Before(b.ModTime)
}

// missingNumbers returns the rotations that a numbered stream lacks between
// this file and the next newer one.
func missingNumbers(a, b *member) []int {
	if a.rotation.date != "" || b.rotation.date != "" || a.rotation.byTime || a.rotation.number == 0 {
		return nil
	}
	var out []int
	for n := a.rotation.number - 1; n > b.rotation.number && len(out) < 20; n-- {
		out = append(out, n)
	}
	return out
}
