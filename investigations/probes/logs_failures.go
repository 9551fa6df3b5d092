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
// for it later and did not find it is no failed write. mentions are the lines that may
// name the id, others those of the same requests, which do not.
func failures(mentions, others []logged, n naming, facts inv.Facts) []inv.Fact {
	var out []inv.Fact
	issued := map[string]bool{}
	all := slices.Concat(others, mentions)
	crowded := crowdedRequests(all)
	for _, f := range facts.Of(inv.IDIssued) {
		if r := f.Attr("request"); r != "" && !crowded[r] {
			issued[r] = true
		}
	}
	for i, e := range all {
		if isServerLog(e.Event) || !tellsOfFailedWrite(e.Event) {
			continue
		}
		_, named := n.names(e.Event)
		if named = named && i >= len(others); !issued[e.RequestID] && !named {
			continue
		}
		out = append(out, inv.Fact{
			Kind: inv.RequestFailed, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
			Attrs: map[string]string{"source": e.Source, "request": e.RequestID, "same-request": fmt.Sprint(issued[e.RequestID]), "message": e.Message},
			Says:  fmt.Sprintf("%s: %s", e.Source, short(e.Message, 160)),
		})
	}
	return out
}

// crowdedRequests are correlation ids under which one log answered several
// creates: a batch, a session or a client that sends the same id again. What
// failed under such an id may be another record's.
func crowdedRequests(lines []logged) map[string]bool {
	type place struct{ request, source string }
	n := map[place]int{}
	out := map[string]bool{}
	for _, e := range lines {
		if e.RequestID == "" || e.Op != sources.OpCreate || e.Status == 0 {
			continue
		}
		k := place{e.RequestID, e.Source}
		if n[k]++; n[k] > 1 {
			out[e.RequestID] = true
		}
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
