// Package background asks the terminal which colour it draws on, without
// waiting for the answer: the question goes out behind the first frame, and the
// answer is taken out of what is typed whenever it comes. A terminal that knows
// the question answers it with OSC 11; every terminal answers the second one,
// for its kind (DA1), and answers in order: so that answer ends the waiting.
package background

import (
	"os"
	"strings"
	"sync"
	"time"
)

// Question is what is sent: OSC 11 for the background, then DA1.
const Question = "\x1b]11;?\x07\x1b[c"

// Limit is how long after the question an answer is taken for one. What comes
// later is handed on as it was typed.
const Limit = time.Second

// Asks reports whether a terminal of this kind (TERM) can be asked: some do not
// understand the question and would show it.
func Asks(term string) bool {
	return term != "" && term != "dumb" && term != "linux" && !strings.HasPrefix(term, "eterm")
}

// Input is the terminal's input without the answers. It is handed to Bubble Tea
// in place of the file.
type Input struct {
	*os.File
	tell func(dark bool)
	now  func() time.Time

	mu     sync.Mutex
	asking bool // from the question until the last answer
	asked  time.Time
	over   chan struct{} // closed when the last answer has come
	sieve  sieve
}

// NewInput returns the input that f is read through. tell is called with what
// the terminal answered, if it does; it must not block.
func NewInput(f *os.File, tell func(dark bool), now func() time.Time) *Input {
	return &Input{File: f, tell: tell, now: now, over: make(chan struct{})}
}

// Asking says that the question is about to be sent. It is called once.
func (in *Input) Asking() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asking, in.asked = true, in.now()
}

// Settle waits until the answers have come, at most until Limit after the
// question: what comes after the program has ended would be typed into the
// shell.
func (in *Input) Settle() {
	in.mu.Lock()
	left := Limit - in.now().Sub(in.asked)
	asking := in.asking
	in.mu.Unlock()
	if !asking || left <= 0 {
		return
	}
	late := time.NewTimer(left)
	defer late.Stop()
	select {
	case <-in.over:
	case <-late.C:
	}
}

// Read reads what was typed. It may return no byte and no error.
func (in *Input) Read(b []byte) (int, error) {
	n, err := in.File.Read(b)
	return in.sift(b[:n]), err
}

// sift takes the answers out of b and returns how many bytes are left in it.
func (in *Input) sift(b []byte) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	kept := b[:0]
	for _, c := range b {
		if !in.asking || !in.sieve.inside && in.now().Sub(in.asked) > Limit {
			kept = append(kept, c)
			continue
		}
		var answer string
		kept, answer = in.sieve.take(kept, c)
		if dark, ok := Dark(answer); ok {
			in.tell(dark)
		}
		if strings.HasPrefix(answer, "[?") && strings.HasSuffix(answer, "c") {
			in.asking = false
			close(in.over)
		}
	}
	return len(kept)
}
