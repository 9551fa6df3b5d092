package drills

import (
	"context"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// rolledBackError is an order whose transaction ran into a unique constraint
// after it was confirmed.
func rolledBackError() Drill {
	return Drill{
		ID: "rolled-back-error", Title: "A confirmed order with a voucher does not exist", Domain: "orders",
		Story: earlyStory + " The customer had used a voucher.",
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The order was confirmed before its transaction ended. The voucher had been used before, its insert met a unique violation, and all of it was rolled back."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d xid=%x ", nil)},
		Stage: usedVoucher(SuperuserRights).stage,
	}
}

// usedVoucher is an order with a voucher that was used before.
func usedVoucher(rights Rights) early {
	return early{
		roles: []string{"stock_sync"},
		schema: []string{stockSyncGrants, `
			CREATE TABLE vouchers (code text PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, used_at timestamptz NOT NULL DEFAULT now());
			INSERT INTO vouchers (code, order_id) SELECT 'SPRING-' || n, 47500 + n FROM generate_series(1, 40) n;
			GRANT SELECT, INSERT ON vouchers TO shop_app`},
		before: otherDeadlock,
		end: func(ctx context.Context, _ *shop, _ *pgx.Conn, tx pgx.Tx, o *order) error {
			_, err := tx.Exec(ctx, "INSERT INTO vouchers (code, order_id) VALUES ($1, $2)", "SPRING-17", o.id)
			return refusedWith(ctx, tx, "23505", err)
		},
		rights: rights,
	}
}
