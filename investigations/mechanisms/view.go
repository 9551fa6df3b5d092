package mechanisms

import (
	inv "inquest/investigations"
)

// View is what rules are given: the facts, the story of the key that they tell,
// and the fate that follows from it.
type View struct {
	// Deliberation holds, as its Facts, those of the home server and of the table
	// in focus.
	inv.Deliberation
	// All are the facts of every server and table.
	All   inv.Facts
	Story Story
	// Discarded is what WAL tells that a failover or a restore left behind.
	Discarded Story
	// Nodes are the other servers that were asked.
	Nodes []Node
	Focus Focus
	Fate  inv.Fate
}

// Node is another server than the home server, with what it says of the record.
type Node struct {
	Server string
	Facts  inv.Facts
	Story  Story
}

// newView lays the facts out for the table in focus.
func newView(d inv.Deliberation, focus Focus) View {
	home := homeServer(d.Facts)
	v := View{Deliberation: d, All: d.Facts, Focus: focus}
	mine := focus.filter(d.Facts)
	v.Facts = mine.Where(func(f inv.Fact) bool { return on(f, home) && f.Attr("branch") == "" })
	v.Story = NewStory(v.Facts)
	v.Discarded = NewStory(mine.Where(func(f inv.Fact) bool { return on(f, home) && f.Attr("branch") != "" }))
	for _, name := range servers(d.Facts) {
		if name == home {
			continue
		}
		facts := mine.Where(func(f inv.Fact) bool { return f.Attr("server") == name && f.Attr("branch") == "" })
		v.Nodes = append(v.Nodes, Node{Server: name, Facts: facts, Story: NewStory(facts)})
	}
	return v
}

// on reports whether a fact speaks of the server; one without a server speaks of
// the home server.
func on(f inv.Fact, server string) bool {
	s := f.Attr("server")
	return s == "" || s == server
}

// servers are the servers that facts name, in the order they were asked.
func servers(facts inv.Facts) []string {
	var out []string
	for _, f := range facts {
		if s := f.Attr("server"); s != "" && f.Kind != inv.RowElsewhere {
			out = appendNew(out, s)
		}
	}
	return out
}

// homeServer is the server that the record is asked of: the first that is no
// standby, else the first.
func homeServer(facts inv.Facts) string {
	all := servers(facts)
	for _, s := range all {
		standby := facts.Of(inv.Setting).With("name", "server.in_recovery").With("server", s).With("value", "t")
		if len(standby) == 0 {
			return s
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return ""
}

// noDatabase reports that no database told anything: there are only logs.
func (v View) noDatabase() bool {
	return !v.All.Any(inv.Setting, inv.TableProperty, inv.RowAbsent, inv.RowVisible, inv.WALCovered, inv.TupleInserted, inv.TupleDeleted)
}

// gone reports that no row of the record was found where one could look, or that
// there was no database to look in.
func (v View) gone() bool { return v.Facts.Any(inv.RowAbsent) || v.noDatabase() }

// setting returns the value of a setting of the home server, or "".
func (v View) setting(name string) string {
	for _, f := range v.Facts.Of(inv.Setting).With("name", name) {
		return f.Attr("value")
	}
	return ""
}

// property returns the catalogue properties of the table in focus by name.
func (v View) property(name string) inv.Facts {
	return v.Facts.Of(inv.TableProperty).With("name", name)
}

// property returns the node's settings by name.
func (n Node) setting(name string) string {
	for _, f := range n.Facts.Of(inv.Setting).With("name", name) {
		return f.Attr("value")
	}
	return ""
}
