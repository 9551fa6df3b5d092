package mechanisms

import inv "inquest/investigations"

func deadlockVictim() Mechanism {
	return abortedBecause(abortReason{
		id: "deadlock-victim", title: "deadlock victim", cause: inv.CauseConcurrency,
		about:  "The row was inserted, and its transaction was chosen as the victim of a deadlock.",
		says:   "the log names this transaction as a deadlock victim (40P01)",
		silent: "the log covers the abort and shows no deadlock",
		states: deadlocks,
	})
}
