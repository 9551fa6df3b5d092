package probes

import (
	"strings"

	inv "inquest/investigations"
)

// foreignWords is the language in which a server writes its messages when it is not
// English, or when a role or a database has another one: what is looked for by
// English texts would not have been found, and nothing may be called absent.
func foreignWords(in inv.Input) string {
	for _, f := range in.Facts.Of(inv.Setting).With("name", "lc_messages") {
		if v := f.Attr("value"); !englishWords(v) {
			return v
		}
	}
	return ""
}

// englishWords reports a value of lc_messages under which PostgreSQL does not
// translate; empty is the environment's, which is not told.
func englishWords(v string) bool {
	v = strings.ToLower(v)
	return v == "" || v == "c" || v == "posix" || strings.HasPrefix(v, "c.") || strings.HasPrefix(v, "en_") || strings.HasPrefix(v, "en-") || strings.HasPrefix(v, "english") || v == "en"
}

// inForeignWords is the reading of a probe that looked in a server log for texts and
// found nothing, when the server writes in another language.
func inForeignWords(in inv.Input) (inv.Reading, bool) {
	language := foreignWords(in)
	if language == "" {
		return inv.Reading{}, false
	}
	return inv.Reading{
		Outcome: inv.BlindOutcome, Summary: "the server writes its log in another language (lc_messages = " + language + "), and its texts are known here in English: what it says was not understood",
		Opens: "ALTER SYSTEM SET lc_messages = 'C'; SELECT pg_reload_conf() -- for what is logged from then on; what was logged before is yours to read",
	}, true
}

// otherBytes says why the key does not stand in pages and WAL in the bytes that it is
// looked for by: a database that is not in UTF8 stores its letters otherwise. Empty:
// it does.
func otherBytes(facts inv.Facts, server string, r inv.Record) string {
	plain := !strings.ContainsFunc(strings.Join(r.Values(), ""), func(c rune) bool { return c > 127 })
	if plain {
		return ""
	}
	for _, f := range facts.Of(inv.Setting).With("name", "server_encoding").With("server", server) {
		switch v := f.Attr("value"); v {
		case "UTF8", "SQL_ASCII", "":
		default:
			return "the database is in " + v + ", which stores letters of the key in other bytes than UTF8, by which it is looked for"
		}
	}
	return ""
}
