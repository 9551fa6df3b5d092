package probes

import (
	"regexp"
	"strings"

	inv "inquest/investigations"
)

// keyWord takes the word for a key off the name of a column.
var keyWord = regexp.MustCompile(`(?i)^(.+?)_?(id|uuid|guid|key|no|number|code|ref)$`)

// versionWord is how columns are named that number the versions of a row beside its
// key, as Hibernate Envers and the like have them.
var versionWord = regexp.MustCompile(`(?i)^(rev|revision|revision_?id|ver|version|version_?(no|id|number)|history_?id|audit_?id|transaction_?id|snapshot_?id)$`)

// sayKin marks candidates that are about another candidate's row rather than rows of
// their own: their key is a column that is named for the other table, without a
// foreign key that says so; or it is the other's key with a version beside it.
func sayKin(facts []inv.Fact, all []tableFacts) {
	for i := range facts {
		f := &facts[i]
		if f.Kind != inv.TableProperty || f.Attr("name") != "candidate" || f.Attr("refers") != "" {
			continue
		}
		for _, t := range all {
			if t.name() != f.Attr("table") || t.server != f.Attr("server") || len(t.match.Columns) != 1 {
				continue
			}
			for _, o := range all {
				if o.server != t.server || o.table.OID == t.table.OID || !o.wholeKey() || stem(o.table.Name) == stem(t.table.Name) {
					continue
				}
				switch {
				case t.namedFor(o):
					f.Attrs["refers"], f.Attrs["by-name"] = o.name(), "true"
				case f.Attrs["history"] == "" && t.versionsOf(o):
					f.Attrs["history"] = "its key is that of " + o.name() + " with a version beside it"
				}
			}
		}
	}
}

func (t tableFacts) wholeKey() bool {
	return (t.match.Primary || t.match.Unique) && len(t.match.Columns) == 1
}

// namedFor reports that the column is named for the other table, such as order_id
// for orders, and not for its own.
func (t tableFacts) namedFor(o tableFacts) bool {
	m := keyWord.FindStringSubmatch(t.match.Columns[0])
	return m != nil && stem(m[1]) == stem(o.table.Name)
}

// versionsOf reports that the table is named for the other one, and that its key is
// one column and a version.
func (t tableFacts) versionsOf(o tableFacts) bool {
	if t.wholeKey() || len(t.table.PrimaryKey) != 2 || !strings.Contains(stem(t.table.Name), stem(o.table.Name)) {
		return false
	}
	for _, att := range t.table.PrimaryKey {
		if int(att) > 0 && int(att) <= len(t.table.Columns) && versionWord.MatchString(t.table.Columns[att-1].Name) {
			return true
		}
	}
	return false
}
