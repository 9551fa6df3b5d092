package drills

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"inquest/investigations"
)

// accountTables puts customers under accounts, the last of which can be closed.
const accountTables = `
CREATE TABLE accounts (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO accounts SELECT n, 'Account ' || n FROM generate_series(1, 15) n;
ALTER TABLE customers ADD account_id integer NOT NULL DEFAULT 1;
UPDATE customers SET account_id = 1 + (id - 1) / 10;
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts TO shop_app;`

const accountCascades = `
ALTER TABLE customers ADD FOREIGN KEY (account_id) REFERENCES accounts ON DELETE CASCADE;
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey, ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;`

const accountTrigger = `
ALTER TABLE customers ADD FOREIGN KEY (account_id) REFERENCES accounts;
CREATE FUNCTION close_account() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  DELETE FROM orders o USING customers c WHERE c.id = o.customer_id AND c.account_id = OLD.id;
  DELETE FROM customers WHERE account_id = OLD.id;
  RETURN OLD;
END $$;
CREATE TRIGGER close_account BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION close_account();`

const accountStory = "An open order disappeared from the warehouse's list. No order was cancelled that day, and its customer was not deleted by anybody: the customer cannot be found either."

// cascadeTwoLevels is an order whose customer's account was closed: two foreign
// keys took it along.
func cascadeTwoLevels() Drill {
	return Drill{
		ID: "cascade-two-levels", Title: "An open order vanished, and so did its customer", Domain: "orders", Story: accountStory,
		Truth: deletedBy("cascade-delete", investigations.CauseApplication,
			"The service closed the account: its row was deleted, ON DELETE CASCADE took the account's customers and then their orders, in one transaction, parents first."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) { return stageAccountClosed(ctx, s, accountCascades) },
	}
}

// triggerTwoLevels is the same request where a trigger on accounts deletes orders
// and customers, which no cascading foreign key does.
func triggerTwoLevels() Drill {
	return Drill{
		ID: "trigger-two-levels", Title: "An open order vanished, and so did its customer", Domain: "orders", Story: accountStory,
		Truth: deletedBy("trigger-delete", investigations.CauseDatabase,
			"The service closed the account: a BEFORE DELETE trigger on accounts deleted the orders, then the customers, before the account itself, in one transaction. No foreign key from orders or customers cascades."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) { return stageAccountClosed(ctx, s, accountTrigger) },
	}
}

func stageAccountClosed(ctx context.Context, s *Stage, schema string) (Scene, error) {
	sh, err := openShop(ctx, s, nil, accountTables, schema)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.placeElsewhere)
	last := newOrder()
	last.customer = lastCustomer // of account 15, the last ten customers
	victim, err := sh.placeFor(ctx, last)
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 450*time.Millisecond); err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	begun := time.Now()
	err = tagged(ctx, conn, "DELETE FROM accounts WHERE id = $1", 15)
	sh.answered(begun, "DELETE", "/admin/accounts/15", 204, "", "account closed")
	err = errors.Join(err, s.Pause(ctx, 60*time.Millisecond), s.Leave(ctx, conn), sh.missing(ctx, victim.id, 200*time.Millisecond), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}

// placeElsewhere is traffic of customers whose account stays.
func (s *shop) placeElsewhere(ctx context.Context, conn *pgx.Conn) error {
	o := newOrder()
	o.customer = 1 + rand.IntN(lastCustomer-10)
	o, err := s.placeThis(ctx, conn, o)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "40P01" {
		return nil // a customer tries again
	}
	if err != nil {
		return fmt.Errorf("place an order of another account: %w", err)
	}
	_, err = s.fetch(ctx, conn, o.id)
	return err
}
