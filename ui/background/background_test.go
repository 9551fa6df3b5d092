package background

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2025, 11, 27, 15, 0, 0, 0, time.UTC)

// reads hands pieces to an input as reads would and returns what was left of
// them, and what the terminal was taken to say.
func reads(in *Input, pieces ...string) string {
	out := ""
	for _, p := range pieces {
		b := []byte(p)
		out += string(b[:in.sift(b)])
	}
	return out
}

func asked(now func() time.Time) (*Input, *[]bool) {
	var told []bool
	in := NewInput(nil, func(dark bool) { told = append(told, dark) }, now)
	in.Asking()
	return in, &told
}

func still() time.Time { return start }

// TestAnswersAreTakenOutWhereverTheyAreSplit types keys around the answers and
// splits them everywhere. Of a split within what begins an answer, that is left.
func TestAnswersAreTakenOutWhereverTheyAreSplit(t *testing.T) {
	for _, end := range []string{"\a", "\x1b\\"} {
		before, answers, after := "\x1b[Anj\x1b", "\x1b]11;rgb:ffff/ffff/dddd"+end+"\x1b[?62;22c", "\x1b[B\x1b]q\x1b[?25hé"
		all := before + answers + after
		first, second := len(before), len(before)+strings.LastIndex(answers, "\x1b[?")
		for i := range all {
			for j := i; j < len(all); j++ {
				in, told := asked(still)
				got := reads(in, all[:i], all[i:j], all[j:])
				early := func(cut int) bool { return cut == first+1 || cut == second+1 || cut == second+2 }
				if got != before+after && !early(i) && !early(j) {
					t.Fatalf("split at %d and %d: %q is left", i, j, got)
				}
				if len(*told) != 1 || (*told)[0] {
					t.Fatalf("split at %d and %d: told %v, want one that it is light", i, j, *told)
				}
				if in.asking {
					t.Fatalf("split at %d and %d: still waiting", i, j)
				}
			}
		}
	}
}

func TestNothingIsTakenThatWasNotAskedFor(t *testing.T) {
	answers := "\x1b]11;rgb:0/0/0\a\x1b[?1;2c"
	in := NewInput(nil, func(bool) { t.Error("told") }, still)
	if got := reads(in, answers); got != answers {
		t.Errorf("before the question: %q", got)
	}
	now := start
	in, _ = asked(func() time.Time { return now })
	in.tell = func(bool) { t.Error("told too late") }
	now = now.Add(Limit + 1)
	if got := reads(in, answers); got != answers {
		t.Errorf("too late: %q", got)
	}
}

func TestATerminalThatKnowsOnlyItsKind(t *testing.T) {
	in, told := asked(still)
	if got := reads(in, "q\x1b[?1;2cx"); got != "qx" || len(*told) != 0 || in.asking {
		t.Errorf("left %q, told %v, waiting %v", got, *told, in.asking)
	}
	in.Settle() // returns at once
}

func TestAnAnswerWithoutEndDoesNotSwallowWhatIsTyped(t *testing.T) {
	in, _ := asked(still)
	typed := ""
	for i := range 2 * maxAnswer {
		typed += fmt.Sprint(i % 10)
	}
	if got := reads(in, "\x1b]", typed); len(got) < maxAnswer {
		t.Errorf("%d of %d keys are left", len(got), len(typed))
	}
}

func TestDark(t *testing.T) {
	for answer, want := range map[string][2]bool{
		"]11;rgb:0000/0000/0000\a":         {true, true},
		"]11;rgb:ffff/ffff/ffff\x1b\\":     {false, true},
		"]11;rgb:1e/1e/2e\a":               {true, true},
		"]11;rgba:fdf6/e3e3/e3e3/ffff\a":   {false, true},
		"]11;rgb:0/0/f\a":                  {true, true}, // blue is dark
		"]11;rgb:0/f/0\a":                  {false, true},
		"]10;rgb:ffff/ffff/ffff\a":         {false, false},
		"]11;?\a":                          {false, false},
		"]11;rgb:/ffff/ffff\a":             {false, false},
		"]11;rgb:fffff/ffff/ffff\a":        {false, false},
		"]11;rgb:ffff/ffff\a":              {false, false},
		"[?62;22c":                         {false, false},
		"":                                 {false, false},
		"]11;rgb:-1/0/0\a":                 {false, false},
		"]11;cmyk:0/0/0\a":                 {false, false},
		"]11;rgb:\u0661/\u0661/\u0661\x07": {false, false},
	} {
		if dark, ok := Dark(answer); dark != want[0] || ok != want[1] {
			t.Errorf("%q: dark %v, understood %v", answer, dark, ok)
		}
	}
}

func TestAsks(t *testing.T) {
	for term, want := range map[string]bool{"": false, "dumb": false, "linux": false, "eterm-color": false, "xterm-256color": true, "tmux-256color": true, "screen": true} {
		if Asks(term) != want {
			t.Errorf("Asks(%q) = %v", term, !want)
		}
	}
}

// TestReadHandsOn reads through a pipe.
func TestReadHandsOn(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := w.WriteString("a\x1b]11;rgb:0/0/0\a\x1b[?6cb"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	told := 0
	in := NewInput(r, func(dark bool) {
		if told++; !dark {
			t.Error("light")
		}
	}, still)
	in.Asking()
	b := make([]byte, 64)
	n, err := in.Read(b)
	if err != nil || string(b[:n]) != "ab" || told != 1 {
		t.Errorf("%q, %v, told %d times", b[:n], err, told)
	}
}

// FuzzSift checks that keys which begin no answer always come through.
func FuzzSift(f *testing.F) {
	f.Add([]byte("\x1b[A\x1b[?1;2c"), 3)
	f.Add([]byte("\x1b]11;rgb:0/0/0\a\x1b[?1;2cjjj"), 9)
	f.Fuzz(func(t *testing.T, typed []byte, cut int) {
		in, _ := asked(still)
		cut = max(0, min(cut, len(typed)))
		a, b := append([]byte(nil), typed[:cut]...), append([]byte(nil), typed[cut:]...)
		n := in.sift(a)
		m := in.sift(b)
		if n > len(a) || m > len(b) {
			t.Fatal("more than was typed")
		}
		for _, c := range typed {
			if c == '\x1b' {
				return
			}
		}
		if string(a[:n])+string(b[:m]) != string(typed) {
			t.Fatalf("%q became %q%q", typed, a[:n], b[:m])
		}
	})
}
