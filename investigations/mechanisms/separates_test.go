package mechanisms

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	inv "inquest/investigations"
)

var update = flag.Bool("update", false, "write the golden files anew")

// leadingCase is a case of the tables in which the mechanism leads.
func leadingCase(id string) (verdict, bool) {
	for _, cases := range [][]verdict{abortedInsertCases(), livesCases(), unwrittenCases(), whoDeletedCases(), tableRemovedOrRekeyedCases(), lostCases(), nodesAndHidingCases(), focusCases()} {
		for _, c := range cases {
			if m, _, _ := strings.Cut(c.lead, " "); m == id {
				return c, true
			}
		}
	}
	return verdict{}, false
}

// TestSeparates prints, for every pair of mechanisms of one fate, what separates
// them: in a case of each, how the other stands and why. A pair of which one has
// no case of its own, or in whose case the other leads as well, is listed as one
// that nothing separates. A change shows in testdata/separates.txt; write it anew
// with -update and read the difference.
func TestSeparates(t *testing.T) {
	var b bytes.Buffer
	var inseparable []string
	list := All()
	for i, a := range list {
		for _, o := range list[i+1:] {
			if a.Fate != o.Fate {
				continue
			}
			fmt.Fprintf(&b, "%s\n", a.Fate)
			there, back := separation(a, o), separation(o, a)
			fmt.Fprintf(&b, "  %-22s %s\n  %-22s %s\n", a.ID, there, o.ID, back)
			if there == "" || back == "" {
				inseparable = append(inseparable, a.ID+" and "+o.ID)
			}
		}
	}
	fmt.Fprintf(&b, "\npairs that nothing separates: %d\n", len(inseparable))
	for _, p := range inseparable {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	t.Log("\n" + b.String())
	const golden = "testdata/separates.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("what separates the mechanisms changed: read the difference to %s, and write it anew with go test -run Separates -update", golden)
	}
}

// separation says why o does not lead in a case of a, or "" when nothing shows.
func separation(a, o Mechanism) string {
	c, ok := leadingCase(a.ID)
	if !ok {
		return ""
	}
	j := c.judge()
	if lead, leads := j.Leading(); !leads || lead.Mechanism != a.ID {
		return ""
	}
	i := slices.IndexFunc(j.Hypotheses, func(h inv.Hypothesis) bool { return h.Mechanism == o.ID })
	h := j.Hypotheses[i]
	if len(h.Against) > 0 {
		why, _, _ := strings.Cut(h.Against[0], ": ")
		return fmt.Sprintf("[%s] rules %s out: %s", c.name, o.ID, why)
	}
	for _, r := range o.Rules {
		if r.Proof && !slices.ContainsFunc(h.For, func(s string) bool { return strings.HasPrefix(s, r.Says+": ") }) {
			return fmt.Sprintf("[%s] has no proof of %s: not seen that %s", c.name, o.ID, r.Says)
		}
	}
	if slices.Contains(a.Explains, o.ID) {
		return fmt.Sprintf("[%s] explains %s more closely", c.name, o.ID)
	}
	return ""
}

// TestEveryMechanismHasACase demands a case in which each mechanism leads.
func TestEveryMechanismHasACase(t *testing.T) {
	for _, m := range All() {
		if _, ok := leadingCase(m.ID); !ok {
			t.Errorf("no case in which %s leads", m.ID)
		}
	}
}
