package command

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// ssh reads log files of another host through the user's own ssh, and lets
// that host do the searching: only hits and the lines around them travel.
type ssh struct {
	host, path string
	nonce      string
}

// SSH returns the source of HOST:PATH, where PATH is a file with its
// rotations, a glob or a folder. The host is what ssh takes: a name of its configuration, user@name.
func SSH(target string, opt Options) (*Source, error) {
	host, path, ok := cutTarget(target)
	switch {
	case !ok || host == "" || path == "":
		return nil, &sources.Blind{Why: fmt.Sprintf("%q is not of the form HOST:PATH", target), Opens: "write it as --ssh db1:/var/log/app.log"}
	case strings.HasPrefix(host, "-") || strings.ContainsAny(host, " \t\n'\"$`;|&<>()"):
		return nil, &sources.Blind{Why: fmt.Sprintf("%q is no host that ssh could be given", host)}
	}
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("make a mark: %w", err)
	}
	return newSource("ssh:"+target, opt, &ssh{host: host, path: path, nonce: "inquest-" + hex.EncodeToString(b)}), nil
}

// cutTarget parts HOST:PATH; the host may be an IPv6 address in brackets.
func cutTarget(target string) (host, path string, ok bool) {
	from := 0
	if i := strings.Index(target, "]:"); i >= 0 && strings.Contains(target[:i], "[") {
		from = i
	}
	i := strings.IndexByte(target[from:], ':')
	if i < 0 {
		return "", "", false
	}
	host = strings.NewReplacer("[", "", "]", "").Replace(target[:from+i])
	return host, target[from+i+1:], true
}

func (c *ssh) bounded() bool { return true }

func (c *ssh) argv() []string {
	return []string{"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-T", "--", c.host, "exec sh"}
}

// shown is the call with its script, as a person would type it.
func (c *ssh) shown(script string) string {
	return joined(c.argv()) + " <<'END'\n" + strings.TrimRight(script, "\n") + "\nEND"
}

const (
	linesBefore = 15 // around a hit, and of a file's end
	linesAfter  = 30 // around a hit, and of a file's start
)

// remote is the part of the script that all calls share. Each file begins with
// a line of its size, time and name; each line of ours begins with a mark that no log has.
const remote = `LC_ALL=C; export LC_ALL
say() { printf '\036%s %s\n' 'NONCE' "$*"; }
one() {
  say file "$(stat -c '%s %Y' -- "$1" 2>/dev/null || stat -f '%z %m' -- "$1" 2>/dev/null || echo '- -')" "$1"
  if ! [ -r "$1" ]; then say denied; return; fi
  m=$(stat -c %Y -- "$1" 2>/dev/null || stat -f %m -- "$1" 2>/dev/null || echo 9999999999)
  if [ "$m" -lt SINCE ]; then say older; return; fi
  case $1 in *.gz) u='gzip -dc';; *.zst) u='zstd -dcq';; *.xz) u='xz -dc';; *.bz2) u='bzip2 -dc';; *.lz4) u='lz4 -dc';; *) u=cat;; esac
  WORK
}
whole() { say begin; $u <"$1" || { echo; say broken; }; echo; say end; }
n=0 seen=
each() {
  for f; do
    [ -f "$f" ] || continue
    case $seen in *"|$f|"*) continue;; esac
    seen="$seen|$f|" n=1
    one "$f"
  done
}
each FILES
[ $n = 1 ] || say none
say done
`

// script fills in the shared part. Needles and paths are quoted for sh; since
// is the time before whose last change a file holds nothing that is asked for.
func (c *ssh) script(work string, since time.Time) string {
	at := int64(0)
	if !since.IsZero() {
		at = since.Add(-time.Hour).Unix()
	}
	return strings.NewReplacer("NONCE", c.nonce, "SINCE", fmt.Sprint(at), "WORK", work, "FILES", c.files()).Replace(remote)
}

// files are words of sh that name the files: globs stay globs, a leading ~/ is
// the home folder, the rest is quoted.
func (c *ssh) files() string {
	p := quoteGlob(c.path)
	if strings.HasSuffix(c.path, "/") {
		p = strings.TrimSuffix(p, "/")
	}
	if strings.ContainsAny(c.path, "*?[") {
		return p
	}
	var inside []string
	for _, ending := range []string{"*log*", "*.json*", "*.out*", "*.err*", "*.csv*"} {
		inside = append(inside, p+"/"+ending, p+"/*/"+ending)
	}
	return p + " " + p + ".[0-9]* " + p + "-[0-9]* " + p + ".[a-z]*z* " + strings.Join(inside, " ")
}

func quoteGlob(path string) string {
	var b strings.Builder
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		b.WriteString(`"$HOME"/`)
		path = rest
	}
	open := false
	for _, r := range path {
		glob := strings.ContainsRune("*?[]", r)
		if glob == open {
			b.WriteByte('\'')
			open = !open
		}
		if r == '\'' {
			b.WriteString(`'\''`)
			continue
		}
		b.WriteRune(r)
	}
	if open {
		b.WriteByte('\'')
	}
	return b.String()
}

// grepWork searches one file. Its first and last lines come along as the
// context of marks put around it, so that one pass shows format, bounds and hits.
func (c *ssh) grepWork(q sources.LogQuery) string {
	seen := map[string]bool{}
	words := []string{"whole \"$1\" | grep $a -n -F", fmt.Sprintf("-B %d -A %d", linesBefore, linesAfter), "-e '" + c.nonce + "'"}
	for _, n := range q.Needles {
		for _, t := range logscan.Texts(n) {
			if t == "" || seen[t] || strings.ContainsAny(t, "\n\x00") {
				continue
			}
			seen[t] = true
			words = append(words, "-e", "'"+strings.ReplaceAll(t, "'", `'\''`)+"'")
		}
	}
	return "a=; if echo x | grep -a x >/dev/null 2>&1; then a=-a; fi\n  " + strings.Join(words, " ")
}

// run sends the script to the host and gives its output to out.
func (c *ssh) run(ctx context.Context, s *Source, script string, out *process.Lines) (process.End, error) {
	end, err := process.Run(ctx, process.Call{Argv: c.argv(), Stdin: script, Out: out, Timeout: s.opt.Timeout, Most: s.opt.Most})
	if err == nil {
		err = out.Flush()
	}
	return end, err
}

// trouble is why the host could not be searched to the end.
func (c *ssh) trouble(end process.End, finished bool) (why, opens string) {
	switch {
	case end.Why == "" && finished:
		return "", ""
	case end.Why == "":
		return "ssh " + c.host + " ended before the search was done: " + end.Stderr, "run the command by hand to see what is wrong"
	}
	why = "ssh " + c.host + " " + end.Why
	switch e := end.Stderr; {
	case strings.Contains(e, "Permission denied"):
		return why, "log in with ssh " + c.host + " first: it must work without a password (a key in the agent)"
	case strings.Contains(e, "Host key verification failed"):
		return why, "connect once by hand and confirm the host's key"
	case strings.Contains(e, "resolve hostname"), strings.Contains(e, "refused"), strings.Contains(e, "timed out"), strings.Contains(e, "No route"):
		return why, "check the host's name and the network (ssh " + c.host + ")"
	case end.Status < 0:
		return why, "name fewer files, or give a window (--from, --to)"
	}
	return why, "run the command by hand to see what is wrong"
}

// check lists the files.
func (c *ssh) check(ctx context.Context, s *Source) (string, error) {
	var files, denied int
	var size int64
	finished := false
	out := &process.Lines{Each: func(line []byte, first bool) error {
		word, rest, _ := c.mark(line, first)
		switch word {
		case "file":
			h := readHeader(rest)
			files++
			size += h.size
		case "denied":
			denied++
		case "done":
			finished = true
		}
		return nil
	}}
	end, err := c.run(ctx, s, c.script(":", time.Time{}), out)
	if err != nil {
		return "", err
	}
	if why, opens := c.trouble(end, finished); why != "" {
		return "", &sources.Blind{Why: why, Opens: opens}
	}
	if files == denied {
		return "", c.nothing(files)
	}
	summary := fmt.Sprintf("%d files on %s, %s", files, c.host, logscan.ByteCount(size))
	if denied > 0 {
		summary += fmt.Sprintf(", %d of them not readable", denied)
	}
	return summary, nil
}

func (c *ssh) nothing(denied int) error {
	if denied > 0 {
		return &sources.Blind{Why: fmt.Sprintf("%s on %s: permission denied", c.path, c.host), Opens: "log in as a user who may read it (USER@HOST:PATH)"}
	}
	return &sources.Blind{Why: fmt.Sprintf("%s: no such file on %s", c.path, c.host), Opens: "check the path given with --ssh"}
}

// mark reads a line of the script's own.
func (c *ssh) mark(line []byte, first bool) (word, rest string, ok bool) {
	if !first || len(line) == 0 || line[0] != '\x1e' {
		return "", "", false
	}
	text, ok := strings.CutPrefix(strings.TrimRight(string(line[1:min(len(line), 8<<10)]), "\n"), c.nonce+" ")
	if !ok {
		return "", "", false
	}
	word, rest, _ = strings.Cut(text, " ")
	return word, rest, true
}

// header is what the script says of a file.
type header struct {
	size    int64
	changed time.Time
	path    string
}

func readHeader(rest string) header {
	var h header
	size, rest, _ := strings.Cut(rest, " ")
	changed, path, _ := strings.Cut(rest, " ")
	_, _ = fmt.Sscan(size, &h.size)
	var at int64
	if _, err := fmt.Sscan(changed, &at); err == nil {
		h.changed = time.Unix(at, 0)
	}
	h.path = path
	return h
}
