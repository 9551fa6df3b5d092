package theme

import (
	"inquest/investigations"
	"inquest/sources"
)

// Mark is a glyph with the word that says the same, and its style.
type Mark struct {
	Glyph, Word string
	Style       Style
}

// Outcome returns the mark of a probe's outcome; ran is false before it ran.
func (t *Theme) Outcome(o investigations.Outcome, ran bool) Mark {
	if !ran {
		return Mark{"◌", "not yet", t.Open}
	}
	switch o {
	case investigations.Found:
		return Mark{"●", "found", t.Finding}
	case investigations.Absent:
		return Mark{"○", "absent", t.Clean}
	case investigations.BlindOutcome:
		return Mark{"⊘", "could not look", t.Blind}
	default:
		return Mark{"–", "not applicable", t.Dim}
	}
}

// Verdict returns the mark of a step's verdict.
func (t *Theme) Verdict(v investigations.Verdict) Mark {
	switch v {
	case investigations.VerdictFinding:
		return Mark{"●", "finding", t.Finding}
	case investigations.VerdictClean:
		return Mark{"○", "clean", t.Clean}
	case investigations.VerdictCannotTell:
		return Mark{"⊘", "cannot tell", t.Blind}
	case investigations.VerdictSkipped:
		return Mark{"–", "skipped", t.Dim}
	default:
		return Mark{"◌", "open", t.Open}
	}
}

// Standing returns the mark of a hypothesis' standing.
func (t *Theme) Standing(s investigations.Standing) Mark {
	switch s {
	case investigations.Leading:
		return Mark{"●", "leading", t.Finding}
	case investigations.Possible:
		return Mark{"◇", "possible", t.Text}
	case investigations.RuledOut:
		return Mark{"✗", "ruled out", t.Dim}
	default:
		return Mark{"◌", "untested", t.Open}
	}
}

// Fate returns the style and the words of a fate with its standing.
func (t *Theme) Fate(f investigations.Fate) Mark {
	words := FateWords(f.Kind)
	if f.Kind != "" && f.Kind != investigations.FateUndetermined && f.Standing != "" {
		words += " · " + string(f.Standing)
	}
	switch {
	case f.Kind == "":
		return Mark{"◌", "not judged yet", t.Open}
	case f.Standing == investigations.Established:
		return Mark{"●", words, t.Finding}
	case f.Kind == investigations.FateUndetermined:
		return Mark{"⊘", words, t.Blind}
	default:
		return Mark{"⚠", words, t.Weak}
	}
}

// FateWords returns a fate as people say it.
func FateWords(k investigations.FateKind) string {
	switch k {
	case "":
		return "not judged yet"
	case investigations.FateNeverCommitted:
		return "never committed"
	case investigations.FateNeverWritten:
		return "never written"
	default:
		return string(k)
	}
}

// Spinner returns the frame of the sign that something runs.
func Spinner(tick int) string { return spinner[tick&3] }

var spinner = [4]string{"◐", "◓", "◑", "◒"}

// Source returns the mark of a source's answer to its check.
func (t *Theme) Source(s sources.State) Mark {
	switch s {
	case sources.StateReady:
		return Mark{"✓", "ready", t.Good}
	case sources.StatePartial:
		return Mark{"⚠", "partly", t.Weak}
	default:
		return Mark{"✗", "not usable", t.Bad}
	}
}
