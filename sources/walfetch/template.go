package walfetch

import (
	"errors"
	"fmt"
	"strings"
)

// template is a restore command with its placeholders: %f the name of the
// file that is wanted, %p the path it is to be written to, %% a percent sign.
type template string

// parseTemplate checks a command. Placeholders are those of PostgreSQL's
// restore_command, but for %r, by which commands know which files of the
// archive they may remove.
func parseTemplate(s string) (template, error) {
	var file, path bool
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		i++
		switch {
		case i == len(s):
			return "", errors.New("the command ends in a single %: write %% for a percent sign")
		case s[i] == 'f':
			file = true
		case s[i] == 'p':
			path = true
		case s[i] == '%':
		case s[i] == 'r':
			return "", errors.New("%r lets a restore command remove files from the archive: leave it out")
		default:
			return "", fmt.Errorf("%%%c is no placeholder: use %%f for the file's name, %%p for the path to write it to, %%%% for a percent sign", s[i])
		}
	}
	if !file || !path {
		return "", errors.New("the command needs both %f, the file's name, and %p, the path to write it to, as in: pgbackrest --stanza=main archive-get %f %p")
	}
	return template(s), nil
}

// fill puts the values in. They never end a word or start another command: plain
// ones stand as they are, others are quoted for the place they stand in.
func (t template) fill(file, path string) string {
	var out strings.Builder
	var in byte // the quote that is open, or 0
	s := string(t)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			i++
			switch s[i] {
			case 'f':
				out.WriteString(quoted(file, in))
			case 'p':
				out.WriteString(quoted(path, in))
			default:
				out.WriteByte('%')
			}
			continue
		case c == '\\' && in != '\'' && i+1 < len(s) && s[i+1] != '%':
			out.WriteByte(c)
			i++
		case in == 0 && (c == '\'' || c == '"'):
			in = c
		case c == in:
			in = 0
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+:@,"

// quoted returns a value as a part of a word of sh, inside the quotes that are
// open there.
func quoted(v string, in byte) string {
	if v != "" && strings.Trim(v, plain) == "" {
		return v
	}
	switch in {
	case '\'':
		return strings.ReplaceAll(v, "'", `'\''`)
	case '"':
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(v)
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
}
