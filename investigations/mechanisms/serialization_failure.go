package mechanisms

import inv "inquest/investigations"

func serializationFailure() Mechanism {
	return abortedBecause(abortReason{
		id: "serialization-failure", title: "serialization failure", cause: inv.CauseConcurrency,
		about:  "The row was inserted, and its transaction could not be serialized with another and was rolled back.",
		says:   "the log gives a serialization failure (40001) for this transaction",
		silent: "the log covers the abort and shows no serialization failure",
		states: serializations,
	})
}
