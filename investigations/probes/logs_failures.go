package probes

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
)

var (
	writeWords  = []string{"insert", "save", "saving", "persist", "write", "writing", "store", "storing", "queue", "publish", "consum", "commit", "transaction", "flush", "outbox", "database", "create", "creating"}
	failWords   = []string{"fail", "error", "could not", "couldn't", "unable", "exception", "gave up", "giving up", "discard", "dropped", "dead letter", "dead-letter", "timed out", "timeout", "refused", "rolled back", "abort"}
	absentWords = []string{"not found", "404", "no such", "unknown", "does not exist", "not exist"}
)

// failures are lines of the application that tell of a failed write: of the
// request that handed the id out, or of the record itself. That somebody asked
// for it later and did not find it is no failed write.
func failures(in inv.Input, n naming, facts inv.Facts) []inv.Fact {
	var out []inv.Fact
	issued := map[string]bool{}
	for _, f := range facts.Of(inv.IDIssued) {
		if r := f.Attr("request"); r != "" {
			issued[r] = true
		}
	}
	for _, e := range append(eventsOf(in, "requests"), eventsOf(in, "mentions")...) {
		_, named := n.names(e.Event)
		if isServerLog(e.Event) || !issued[e.RequestID] && !named || !tellsOfFailedWrite(e.Event) {
			continue
		}
		out = append(out, inv.Fact{
			Kind: inv.RequestFailed, Ground: inv.GroundLog, Time: factTime(e.Event), Evidence: []string{e.evidence},
			Attrs: map[string]string{"source": e.Source, "request": e.RequestID, "same-request": fmt.Sprint(issued[e.RequestID]), "message": e.Message},
			Says:  fmt.Sprintf("%s: %s", e.Source, short(e.Message, 160)),
		})
	}
	return out
}

func tellsOfFailedWrite(e sources.Event) bool {
	msg := strings.ToLower(e.Message + " " + e.Path)
	has := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(msg, w) })
	}
	loud := e.Level == sources.LevelError || e.Level == sources.LevelFatal || e.Level == sources.LevelWarning
	answered := e.Status != 0 && e.Status < 500 || e.Op == sources.OpRead
	return !answered && has(writeWords) && has(failWords) && !has(absentWords) && (loud || e.Level == "")
}
