package drills

import (
	"time"

	"inquest/investigations"
)

// clockSkew is the same, on a host whose clock is a minute and a half ahead.
func clockSkew() Drill {
	truth := neverCommitted("rolled-back", investigations.CauseApplication,
		"As rolled-back-error. The service's clock is a minute and a half ahead of the server's, so that the answer seems to come long after the transaction's end.")
	truth.OrNone = true
	e := usedVoucher(KitRights)
	e.skew = 93 * time.Second
	return Drill{
		ID: "clock-skew", Title: "A confirmed order with a voucher does not exist", Domain: "orders",
		Story: earlyStory + " Nobody has looked at the clocks of the hosts lately.", Truth: truth,
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d ", nil)}, Stage: e.stage,
	}
}
