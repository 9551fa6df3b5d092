package command

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// shell runs a command that a person typed.
type shell struct{ text string }

// New returns the source of a command's output. It is run by sh; {from} and
// {to} become the window's bounds (RFC 3339, UTC) and {id} the record's id, each
// as a variable that sh does not read again.
func New(name, text string, opt Options) *Source {
	return newSource("cmd:"+name, opt, &shell{text: text})
}

var placeholder = regexp.MustCompile(`\{(from|to|id)\}`)

func (c *shell) bounded() bool {
	return strings.Contains(c.text, "{from}") || strings.Contains(c.text, "{to}")
}

var firstWord = regexp.MustCompile(`^\s*(?:[A-Za-z_]\w*=[\w./:@%+,-]*\s+)*([\w./+-]+)(?:\s|$)`)

// check asks sh whether it can read the command and finds its first word; it
// does not run it.
func (c *shell) check(ctx context.Context, s *Source) (string, error) {
	script, _, err := c.fill(s, sources.Window{})
	if err != nil {
		return "", err
	}
	end, err := process.Run(ctx, process.Call{Argv: []string{"sh", "-n", "-c", script, "sh"}, Timeout: 10 * time.Second})
	if err != nil {
		return "", err
	}
	if end.Why != "" {
		return "", &sources.Blind{Why: "the shell cannot read the command: " + end.Why, Opens: "correct its quotes"}
	}
	if m := firstWord.FindStringSubmatch(c.text); m != nil {
		end, err := process.Run(ctx, process.Call{Argv: []string{"sh", "-c", `command -v -- "$1"`, "sh", m[1]}, Timeout: 10 * time.Second})
		if err != nil {
			return "", err
		}
		if end.Status != 0 {
			return "", &sources.Blind{Why: fmt.Sprintf("the command %s was not found", m[1]), Opens: "install it, or give its full path"}
		}
	}
	return "output of " + c.text + " (run when it is first asked)", nil
}

func (c *shell) fetch(ctx context.Context, s *Source, w sources.Window, tap *logscan.Tap) (*kept, error) {
	script, shown, err := c.fill(s, w)
	if err != nil {
		return nil, err
	}
	from, to := c.bounds(s, w)
	k := &kept{shown: shown, log: &logscan.Log{}}
	f, err := s.store.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	label := strings.TrimPrefix(s.name, "cmd:")
	end, err := process.Run(ctx, process.Call{
		Argv: []string{"sh", "-c", script, "sh", s.opt.ID, from, to}, Out: tap.Writer(label, f), Timeout: s.opt.Timeout, Most: s.opt.Most,
	})
	if err != nil {
		return nil, err
	}
	if end.Why != "" {
		k.broken, k.opens = "the command "+end.Why, remedy(end)
	}
	if k.bytes = end.Bytes; k.bytes > 0 {
		st, err := os.Stat(f.Name())
		if err != nil {
			return nil, fmt.Errorf("look at the kept output: %w", err)
		}
		file := logscan.NewFile(f.Name(), st)
		file.Label = label
		k.log.Files = append(k.log.Files, file)
	}
	if c.bounded() {
		k.limits = append(k.limits, fmt.Sprintf("the command was asked for %s to %s", from, to))
	}
	if strings.Contains(c.text, "{id}") {
		k.partial = func(q sources.LogQuery) string {
			if s.spelled(q) {
				return ""
			}
			return "the command was asked for the id: lines that do not name it are not in its output"
		}
	}
	return k, nil
}

func remedy(end process.End) string {
	switch {
	case end.Status == 127:
		return "install the command, or give its full path"
	case end.Status == 1 && end.Stderr == "":
		return "run it by hand; where status 1 only means that nothing was found, add || true"
	case end.Status < 0:
		return "ask for less, or use {from} and {to}"
	}
	return "run it by hand to see what is wrong"
}

// bounds writes a window for the command: an open end is now, an open start
// the start of time.
func (c *shell) bounds(s *Source, w sources.Window) (from, to string) {
	if w.From.IsZero() {
		w.From = time.Unix(0, 0)
	}
	if w.To.IsZero() {
		w.To = s.opt.Now().Add(time.Second)
	}
	return w.From.UTC().Format(time.RFC3339), w.To.UTC().Format(time.RFC3339)
}

// secondShell are words whose arguments another shell reads again, so that one
// argument does not stay one.
var secondShell = regexp.MustCompile(`(?:^|[\s;|&()'"/` + "`" + `])(?:ssh|rsh|mosh|sh|bash|dash|zsh|ksh|ash|fish|csh|tcsh|su|eval|parallel|watch|source|runuser|nsenter|chroot|sshpass|gcloud)(?:[\s'"]|$)`)

// fill puts the placeholders in. The script that sh reads holds variables in
// their place, which sh does not read again; the shown one holds their values.
func (c *shell) fill(s *Source, w sources.Window) (script, shown string, err error) {
	from, to := c.bounds(s, w)
	value := map[string]string{"{id}": s.opt.ID, "{from}": from, "{to}": to}
	variable := map[string]string{"{id}": "${inquest_id}", "{from}": "${inquest_from}", "{to}": "${inquest_to}"}
	var run, show strings.Builder
	run.WriteString("inquest_id=$1 inquest_from=$2 inquest_to=$3; shift 3\n")
	at := 0
	var q quoting
	for _, m := range placeholder.FindAllStringIndex(c.text, -1) {
		before, name := c.text[at:m[0]], c.text[m[0]:m[1]]
		q.read(before)
		at = m[1]
		if name == "{id}" {
			if err := c.mayHold(s.opt.ID, q.now(), startsWord(c.text[:m[0]])); err != nil {
				return "", "", err
			}
		}
		run.WriteString(before)
		show.WriteString(before)
		switch q.now() {
		case '\'':
			run.WriteString(`'"` + variable[name] + `"'`)
			show.WriteString(value[name])
		case '"':
			run.WriteString(variable[name])
			show.WriteString(value[name])
		default:
			run.WriteString(`"` + variable[name] + `"`)
			show.WriteString(logscan.Quote(value[name]))
		}
	}
	run.WriteString(c.text[at:])
	show.WriteString(c.text[at:])
	return run.String(), show.String(), nil
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._:@%+=,/-]*$`)

// mayHold refuses an id whose characters could be read again behind sh's back:
// inside quotes, which are there for another program, and by a second shell.
func (c *shell) mayHold(id string, in byte, start bool) error {
	switch {
	case id == "":
		return &sources.Blind{Why: "the command needs {id} and the record has none"}
	case strings.ContainsRune(id, 0):
		return &sources.Blind{Why: "the id holds a NUL byte, which no command can be given"}
	case strings.HasPrefix(id, "-") && start:
		return &sources.Blind{Why: "the id begins with a hyphen, and a command would take it for an option", Opens: "write {id} behind an option's = or search all of the output without {id}"}
	case plainID.MatchString(id):
		return nil
	case in != 0:
		return &sources.Blind{Why: "the id holds characters with a meaning to shells, and {id} stands inside quotes that another program may read", Opens: "write {id} outside quotes, or search all of the output without {id}"}
	case secondShell.MatchString(c.text):
		return &sources.Blind{Why: "the id holds characters with a meaning to shells, and the command hands its arguments to another shell", Opens: "leave {id} out: the output is searched for the id in any case"}
	}
	return nil
}

// startsWord reports whether what follows text would begin a word of the shell.
func startsWord(text string) bool {
	text = strings.TrimRight(text, `'"`)
	return text == "" || strings.ContainsAny(text[len(text)-1:], " \t\n;|&()<>")
}

// quoting follows the quotes of a shell's text. Where it errs, a variable
// stands in other quotes than thought: never is its value read as a command.
type quoting struct {
	stack []byte // ', ", ( for $(, ` and # for a comment
	last  byte
}

func (q *quoting) now() byte {
	if n := len(q.stack); n > 0 && (q.stack[n-1] == '\'' || q.stack[n-1] == '"') {
		return q.stack[n-1]
	}
	return 0
}

func (q *quoting) top() byte {
	if len(q.stack) == 0 {
		return 0
	}
	return q.stack[len(q.stack)-1]
}

func (q *quoting) pop() { q.stack = q.stack[:len(q.stack)-1] }

func (q *quoting) read(text string) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch top := q.top(); {
		case top == '\'':
			if c == '\'' {
				q.pop()
			}
		case top == '#':
			if c == '\n' {
				q.pop()
			}
		case c == '\\':
			i++
		case c == '"' && top == '"', c == '`' && top == '`', c == ')' && top == '(':
			q.pop()
		case c == '`', c == '"', c == '\'' && top != '"':
			q.stack = append(q.stack, c)
		case c == '(' && (top != '"' || q.last == '$'):
			q.stack = append(q.stack, '(')
		case c == '#' && top != '"' && (q.last == 0 || strings.IndexByte(" \t\n;", q.last) >= 0):
			q.stack = append(q.stack, '#')
		}
		q.last = c
	}
}
