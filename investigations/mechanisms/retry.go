package mechanisms

import (
	"strings"

	inv "inquest/investigations"
)

// triedAgain is the rule that the same thing was stored under another id: a client
// or a gateway sent the request again, and what it got the second time is there.
func triedAgain() Rule {
	return Rule{
		Role: Supports, Says: "the same natural key was stored under another id: the request was tried again",
		Find:   storedAgain,
		Looked: func(v View) bool { return v.Outcomes["database.hints"] == inv.Absent },
	}
}

// storedAgain are rows with the record's natural key under another id that a create
// of that id, logged with the same natural key, brought about. A row alone may be
// another order of the same customer; the request makes it the same.
func storedAgain(v View) inv.Facts {
	var out inv.Facts
	for _, twin := range v.Facts.Of(inv.RowTwin).With("from", "hint") {
		creates := v.Facts.Of(inv.HintNamed).Where(func(f inv.Fact) bool {
			ok := f.Attr("op") == "create" && f.Number("status") >= 200 && f.Number("status") < 300 && f.Attr("weak") != "true"
			return ok && f.Attr("id") != "" && strings.EqualFold(f.Attr("id"), twin.Attr("key"))
		})
		if len(creates) > 0 {
			out = append(out, twin)
			out = append(out, creates...)
		}
	}
	return out
}

// again says under which id the same thing was stored, or nothing.
func again(v View) string {
	if list := storedAgain(v); len(list) > 0 {
		return " The same " + list[0].Attr("by") + " was stored under the id " + list[0].Attr("key") + " by a request of its own."
	}
	return ""
}
