package logfile

import (
	"path/filepath"
	"strings"
)

// nameApart names streams by their file, with as many of its folders as it
// takes to tell them apart.
func nameApart(streams []*Stream) {
	parts := make([]int, len(streams))
	for i := range parts {
		parts[i] = 1
	}
	for range 64 {
		by := map[string][]int{}
		for i, s := range streams {
			n := s.label(parts[i])
			by[n] = append(by[n], i)
		}
		clash := false
		for _, same := range by {
			for _, i := range same {
				if len(same) > 1 && parts[i] < strings.Count(streams[i].slashed(), "/")+1 {
					parts[i]++
					clash = true
				}
			}
		}
		if !clash {
			break
		}
	}
	for i, s := range streams {
		s.finish("log:" + s.label(parts[i]))
	}
}

// slashed is the stream's full name with slashes.
func (s *Stream) slashed() string {
	if s.members[0].Label != "" {
		return s.members[0].Label
	}
	if abs, err := filepath.Abs(s.stem); err == nil {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(s.stem)
}

// label returns the last n parts of the stream's name.
func (s *Stream) label(n int) string {
	full := s.slashed()
	at := len(full)
	for range n {
		if at = strings.LastIndexByte(full[:at], '/'); at < 0 {
			return full
		}
	}
	return full[at+1:]
}
