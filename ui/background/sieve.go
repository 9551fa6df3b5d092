package background

// maxAnswer is the most bytes of one answer: rgba with four digits each is 30,
// and what terminals say of their kind is about as long.
const maxAnswer = 128

// sieve parts answers from keys, byte by byte. An answer may be split anywhere
// between two reads; of one that is split within its first bytes those have been
// handed on: nothing can tell them from the escape key.
type sieve struct {
	inside bool   // of an answer
	answer []byte // without the escape
	tail   string // how a possible answer began: "", ESC, or ESC [
}

// take takes one byte. It returns what is kept so far, and an answer that is
// complete.
func (s *sieve) take(kept []byte, c byte) ([]byte, string) {
	if s.inside {
		s.answer = append(s.answer, c)
		switch {
		case complete(s.answer):
			s.inside = false
			return kept, string(s.answer)
		case len(s.answer) >= maxAnswer:
			s.inside = false
		}
		return kept, ""
	}
	switch start := s.tail + string(rune(c)); start {
	case "\x1b]", "\x1b[?":
		kept = kept[:len(kept)-min(len(kept), len(s.tail))]
		s.inside, s.answer, s.tail = true, append(s.answer[:0], start[1:]...), ""
		return kept, ""
	case "\x1b[":
		s.tail = start
	default:
		s.tail = ""
		if c == '\x1b' {
			s.tail = "\x1b"
		}
	}
	return append(kept, c), ""
}

// complete reports whether an answer has ended: OSC with BEL or ESC \, CSI with
// a letter.
func complete(b []byte) bool {
	last := b[len(b)-1]
	if b[0] == ']' {
		return last == '\a' || last == '\\' && b[len(b)-2] == '\x1b'
	}
	return len(b) > 2 && last >= '@' && last <= '~'
}
