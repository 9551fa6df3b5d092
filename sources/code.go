package sources

import (
	"context"
	"time"
)

// CodeHistory is the ability to say which changes and which lines of a
// program's code speak of removing rows of a table.
type CodeHistory interface {
	// Changes returns the commits of the windows that change such lines, and the
	// releases near them. It returns a *Blind when the history could not be read.
	Changes(ctx context.Context, tables []string, windows []Window) (*CodeChanges, error)
	// RemovalLines returns the lines of the newest commit that name one of the
	// tables beside a word that removes.
	RemovalLines(ctx context.Context, tables []string) (*CodeLines, error)
}

// CodeChanges is what a history holds in some windows.
type CodeChanges struct {
	Query    string        `json:"query"` // the command that finds the same by hand
	Commits  []CodeCommit  `json:"commits"`
	Releases []CodeRelease `json:"releases"`
	// Near counts all commits of the windows.
	Near int `json:"near"`
	// Left says what was left out, "" when nothing was.
	Left string `json:"left,omitempty"`
}

// CodeCommit is one commit with the lines that made it count. Authors are left out.
type CodeCommit struct {
	Hash    string     `json:"hash"`
	Time    time.Time  `json:"time"` // when it was committed, on the committer's clock
	Subject string     `json:"subject"`
	Lines   []CodeLine `json:"lines"`
	Left    int        `json:"left,omitempty"` // lines beyond those listed
}

// CodeRelease is a tag.
type CodeRelease struct {
	Name string    `json:"name"`
	Hash string    `json:"hash"`
	Time time.Time `json:"time"`
	// Before marks the newest release before the windows.
	Before bool `json:"before,omitempty"`
}

// CodeLines is what stands in the code of one commit.
type CodeLines struct {
	Query string     `json:"query"`
	Hash  string     `json:"hash"`
	Time  time.Time  `json:"time"`
	Lines []CodeLine `json:"lines"`
	Left  int        `json:"left,omitempty"`
	// Skipped counts hits in folders of other people's code and built files.
	Skipped int `json:"skipped,omitempty"`
}

// CodeLine is one line of code.
type CodeLine struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Table string `json:"table"`
	// Op is delete, truncate, drop, detach or mark (a soft delete).
	Op   string `json:"op"`
	Text string `json:"text"`
	// Change is + or - in a commit, "" for code as it stands.
	Change string `json:"change,omitempty"`
	Test   bool   `json:"test,omitempty"` // the file looks like a test
}
