package drills

import (
	"inquest/investigations"
)

// Truth is what really happened, and which answers to it are right.
type Truth struct {
	// Fate is what became of the record in the world.
	Fate investigations.FateKind
	// Standings are those that the evidence allows. With Undetermined among them
	// the answer "undetermined" is right, too; alone it is the only right one.
	Standings []investigations.Standing
	// Mechanisms are accepted as leading; nil means that the evidence does not
	// settle the cause and naming one is an overclaim.
	Mechanisms []string
	// Causes are accepted with them; nil exactly when Mechanisms is nil.
	Causes []investigations.Cause
	// OrNone accepts an answer that names no mechanism beside the Mechanisms.
	OrNone bool
	// Why says for people what happened and what shows it.
	Why string
}

func neverCommitted(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateNeverCommitted, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

func neverWritten(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateNeverWritten, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

func hidden(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateHidden, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

func deletedBy(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}
