package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// claimTables belong to a service that was to be retired.
const claimTables = `
CREATE SCHEMA claims;
CREATE TABLE claims.claims (
  opened_at timestamptz NOT NULL DEFAULT now(), reference text NOT NULL, id uuid PRIMARY KEY, order_id bigint NOT NULL, kind text NOT NULL, amount_cents integer NOT NULL);
CREATE TABLE claims.notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, claim_id uuid NOT NULL REFERENCES claims.claims, note text NOT NULL);
INSERT INTO claims.claims (opened_at, reference, id, order_id, kind, amount_cents)
SELECT placed_at, 'CL-' || id, gen_random_uuid(), id, 'damaged', 900 FROM public.orders WHERE id % 3 = 0;
GRANT USAGE ON SCHEMA claims TO shop_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA claims TO shop_app;`

// schemaDropped is a claim in a schema that somebody dropped with all that was in
// it. No table of today can have held it.
func schemaDropped() Drill {
	return Drill{
		ID: "schema-dropped", Title: "A claim that was confirmed is unknown, and so is the table", Domain: "orders",
		Story: "A customer asks after a claim. The service that took it was to be switched off at the end of the month. Nobody finds a table of claims.",
		Truth: deletedBy("table-drop", investigations.CauseAccidental,
			"Somebody with the owner's login dropped the schema of the claims, CASCADE, before its time. No table was made in its place: only WAL knows that there was one, what its columns were, and that the claim was in it."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageSchemaDropped,
	}
}

func stageSchemaDropped(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil, claimTables)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 2, pace, sh.claims)
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	id, err := sh.claim(ctx, conn)
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Leave(ctx, conn), s.Pause(ctx, 300*time.Millisecond), traffic.Stop(),
		s.AtPrompt(ctx, Session{Role: "shop_owner", Database: shopDatabase}, Pace{250 * time.Millisecond, 400 * time.Millisecond},
			"SELECT count(*) FROM claims.claims;", "DROP SCHEMA claims CASCADE;"))
	if err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
	conn, err = s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	begun := time.Now()
	if _, err := one(ctx, conn, "SELECT kind FROM claims.claims WHERE id = $1", id); err == nil {
		return Scene{}, errors.New("the table of claims is still there")
	}
	sh.answered(begun, "GET", "/claims/"+id, 404, id, "")
	if err := errors.Join(s.Leave(ctx, conn), s.Pause(ctx, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	scene := sh.scene(0, KitRights)
	scene.Record = id
	return scene, nil
}

func (s *shop) claims(ctx context.Context, conn *pgx.Conn) error {
	_, err := s.claim(ctx, conn)
	return err
}

// claim stores a claim and confirms it.
func (s *shop) claim(ctx context.Context, conn *pgx.Conn) (string, error) {
	begun, id := time.Now(), newUUID()
	if err := tagged(ctx, conn, "INSERT INTO claims.claims (reference, id, order_id, kind, amount_cents) VALUES ($1, $2, $3, 'missing part', 1200)", "CL-"+newCode(6), id, s.any()); err != nil {
		return id, fmt.Errorf("store a claim: %w", err)
	}
	s.answered(begun, "POST", "/claims", 201, id, "claim opened")
	return id, nil
}
