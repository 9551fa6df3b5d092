// Package nav is what screens and root say to each other: a screen names where
// to go, and the root goes there. No screen knows another.
package nav

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/theme"
)

// Frame is all that drawing may use beside a screen's own state.
type Frame struct {
	W, H  int
	Theme *theme.Theme
	Now   time.Time
	Zone  *time.Location
	Tick  int // counts while something runs, for spinners
}

// Sized returns the frame with another size.
func (f Frame) Sized(w, h int) Frame {
	f.W, f.H = max(w, 0), max(h, 0)
	return f
}

// Screen is one full screen. Screens are pointers; Update returns only what to
// do next. Keys reach a screen through its action table alone, or through Type
// while it takes text.
type Screen interface {
	// Name is the scope of the screen in the key map.
	Name() string
	Init() tea.Cmd
	Update(tea.Msg) tea.Cmd
	// Actions returns the screen's table; it is asked once and remapped.
	Actions() keys.Table
	// View returns at most f.H lines, each at most f.W cells wide.
	View(f Frame) []string
}

// Typist is a screen that takes text at times.
type Typist interface {
	// Typing reports whether keys are text now.
	Typing() bool
	Type(tea.KeyMsg) tea.Cmd
}

// Backer is a screen that has something of its own to close before it is left.
type Backer interface {
	// Back closes it and reports true, or reports false.
	Back() bool
}

// Finder is a screen that adds its things to the command palette.
type Finder interface{ Items() []Item }

// Placer is a screen that can say where it stands and go back there.
type Placer interface {
	Place() string
	Restore(string)
}

// Guide is a screen that knows what to do next, said in one line.
type Guide interface{ NextAt(now time.Time) string }

// Item is one entry of the command palette.
type Item struct {
	Title, Detail string
	Disabled      string // why it cannot be run now
	Run           func() tea.Cmd
}

// Overlay is a dialog above a screen. It sees every key first.
type Overlay interface {
	// Update reports true when the dialog is to close.
	Update(tea.KeyMsg) (done bool, cmd tea.Cmd)
	// View returns the dialog's lines for a screen of this size.
	View(f Frame) []string
}

// Page names a detail screen of the open case.
type Page string

// The detail screens.
const (
	PageEvidence   Page = "evidence"
	PageTimeline   Page = "timeline"
	PageRecord     Page = "record"
	PageMatrix     Page = "matrix"
	PageCoverage   Page = "coverage"
	PageStatements Page = "statements"
	PageReport     Page = "report"
)

// What a screen may ask of the root.
type (
	// Open opens a saved case.
	Open struct{ Path string }
	// New shows the form for a new case.
	New struct{}
	// Create makes the case that the form describes.
	Create struct{ Case backend.NewCase }
	// Sources shows the form for the sources of the case in front.
	Sources struct{ Case backend.NewCase }
	// Connect opens the saved case at Path again, with the sources of Case.
	Connect struct {
		Path string
		Case backend.NewCase
	}
	// Drills shows the practice incidents.
	Drills struct{}
	// StartDrill builds one and opens its case.
	StartDrill struct{ ID string }
	// Show opens a detail screen of the case in front; Item may name an evidence
	// id, a mechanism or a time, and Find what to filter the list by.
	Show struct {
		Page Page
		Item string
		Find string
	}
	// Back leaves the screen.
	Back struct{}
	// Quit asks to end the program.
	Quit struct{}
	// Dialog opens an overlay.
	Dialog struct{ Overlay Overlay }
	// Copy puts text on the person's clipboard.
	Copy struct{ Text, What string }
	// Toast says something for a moment; Bad marks a failure.
	Toast struct {
		Text string
		Bad  bool
	}
	// Export writes the report of a case that is not open, or of the one in front
	// when Path is empty. To may be empty for the default place.
	Export struct{ Path, To string }
)

// Say returns a command that hands m to the root.
func Say(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// Tell returns a command that shows a short message.
func Tell(text string) tea.Cmd { return Say(Toast{Text: text}) }

// Fail returns a command that shows an error; nil shows nothing.
func Fail(err error) tea.Cmd {
	if err == nil {
		return nil
	}
	return Say(Toast{Text: err.Error(), Bad: true})
}

// Former is a Typist whose table keeps its function keys while text is typed.
type Former interface{ Form() bool }

// Worker is a screen that shows work under way, beside what the case runs.
type Worker interface{ Busy() bool }

// Clocked is a screen that shows how long something will still be there: it is
// drawn again now and then while Counts says so.
type Clocked interface{ Counts(now time.Time) bool }

// Clicker is a screen whose things can be selected with the mouse. The cell is
// that of the last View.
type Clicker interface{ Click(x, y int) tea.Cmd }
