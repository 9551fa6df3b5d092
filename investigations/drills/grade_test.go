package drills_test

import (
	"strings"
	"testing"

	"inquest/investigations"
	"inquest/investigations/drills"
)

func TestGrade(t *testing.T) {
	rolledBack := drills.Truth{
		Fate: investigations.FateNeverCommitted, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{"rolled-back"}, Causes: []investigations.Cause{investigations.CauseApplication},
	}
	open := drills.Truth{
		Fate:      investigations.FateDeleted,
		Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
	}
	optional := rolledBack
	optional.OrNone = true
	lead := func(m string, c investigations.Cause) []investigations.Hypothesis {
		return []investigations.Hypothesis{{Mechanism: m, Cause: c, Standing: investigations.Leading}}
	}
	possible := []investigations.Hypothesis{{Mechanism: "manual-delete", Standing: investigations.Possible}}
	fate := func(k investigations.FateKind, s investigations.Standing) investigations.Fate {
		return investigations.Fate{Kind: k, Standing: s}
	}
	undetermined := fate(investigations.FateUndetermined, investigations.Undetermined)
	for name, c := range map[string]struct {
		truth                        drills.Truth
		fate                         investigations.Fate
		hyps                         []investigations.Hypothesis
		overclaim, right, fateR, mec bool
		says                         string
	}{
		"all right":                          {rolledBack, fate(investigations.FateNeverCommitted, investigations.Established), lead("rolled-back", investigations.CauseApplication), false, true, true, true, "fate right"},
		"wrong cause of the right mechanism": {rolledBack, fate(investigations.FateNeverCommitted, investigations.Established), lead("rolled-back", investigations.CauseSystem), true, false, true, true, "OVERCLAIM"},
		"wrong mechanism":                    {rolledBack, fate(investigations.FateNeverCommitted, investigations.Established), lead("deadlock-victim", investigations.CauseConcurrency), true, false, true, false, "accepted is rolled-back (application)"},
		"no mechanism where one shows":       {rolledBack, fate(investigations.FateNeverCommitted, investigations.Established), possible, false, false, true, false, "cause wrong: said undetermined"},
		"no mechanism where that is right":   {optional, fate(investigations.FateNeverCommitted, investigations.Established), nil, false, true, true, true, "cause right"},
		"only probable":                      {rolledBack, fate(investigations.FateNeverCommitted, investigations.Probable), lead("rolled-back", investigations.CauseApplication), false, false, false, true, "accepted is never-committed, established"},
		"undetermined where it shows":        {rolledBack, undetermined, nil, false, false, false, false, "fate wrong"},
		"established and wrong":              {rolledBack, fate(investigations.FateDeleted, investigations.Established), nil, true, false, false, false, "OVERCLAIM"},
		"probable and wrong":                 {rolledBack, fate(investigations.FateDeleted, investigations.Probable), nil, false, false, false, false, "fate wrong"},
		"established beyond the evidence":    {open, fate(investigations.FateDeleted, investigations.Established), nil, true, false, false, true, "accepted is deleted, probable or undetermined"},
		"weaker and right":                   {open, fate(investigations.FateDeleted, investigations.Probable), possible, false, true, true, true, "cause right"},
		"undetermined and right":             {open, undetermined, nil, false, true, true, true, "fate right"},
		"a cause out of the air":             {open, undetermined, lead("manual-delete", investigations.CauseAccidental), true, false, true, false, "accepted is undetermined"},
	} {
		g := c.truth.Grade(c.fate, c.hyps)
		if g.Overclaim != c.overclaim || g.Right() != c.right || g.FateRight != c.fateR || g.MechanismRight != c.mec {
			t.Errorf("%s: %+v", name, g)
		}
		if !strings.Contains(g.Says, c.says) {
			t.Errorf("%s: says %q, want %q in it", name, g.Says, c.says)
		}
	}
}
