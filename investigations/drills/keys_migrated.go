package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

const parcelTables = `
CREATE TABLE parcels (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id bigint NOT NULL, carrier text NOT NULL, label text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO parcels (order_id, carrier, label, created_at) SELECT id, 'north-post', 'NP' || id * 13, placed_at FROM orders;
CREATE TABLE schema_changes (version text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
INSERT INTO schema_changes VALUES ('0117_parcel_labels', now() - interval '9 days');
GRANT SELECT, INSERT, UPDATE ON parcels TO shop_app;`

// keysMigration gives every parcel a key that sorts by time, and keeps a map.
const keysMigration = `
BEGIN;
CREATE TABLE parcel_keys AS
SELECT id AS was, (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7' || substr(md5(id::text), 1, 3) || '8' || substr(md5(id::text), 4, 15))::uuid AS is_now FROM parcels;
UPDATE parcels p SET id = k.is_now FROM parcel_keys k WHERE k.was = p.id;
INSERT INTO schema_changes VALUES ('0118_parcel_keys_v7');
COMMIT;`

// keysMigrated is a parcel whose random key a migration replaced by one that sorts
// by time.
func keysMigrated() Drill {
	return Drill{
		ID: "keys-migrated", Title: "The carrier asks for a parcel that nobody knows", Domain: "orders",
		Story: "The carrier calls back with the id that it was given when the parcel was announced. The shop answers 404. Parcels announced after the release of this morning are fine.",
		Truth: Truth{
			Fate: investigations.FateRekeyed, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"key-changed"}, Causes: []investigations.Cause{investigations.CauseAccidental, investigations.CauseApplication},
			Why: "A migration changed the key of every parcel from a random UUID to one that sorts by time, by UPDATE: the same row is there under its new key, and a table maps the old to the new.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "ddl"})},
		Stage: stageKeysMigrated,
	}
}

func stageKeysMigrated(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil, parcelTables)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 2, pace, sh.announces)
	if err := s.Pause(ctx, 200*time.Millisecond); err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	id, err := sh.announce(ctx, conn)
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(sh.parcel(ctx, conn, id, 200), s.Leave(ctx, conn), s.Pause(ctx, 250*time.Millisecond), traffic.Stop(),
		s.Do(ctx, Session{Role: "shop_owner", Database: shopDatabase, App: "migrate"}, keysMigration))
	if err != nil {
		return Scene{}, err
	}
	sh.say("version 8.3.0 started")
	again := s.Traffic(ctx, who, 2, pace, sh.announces)
	conn, err = s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 250*time.Millisecond), sh.parcel(ctx, conn, id, 404), s.Leave(ctx, conn), again.Stop())
	if err != nil {
		return Scene{}, err
	}
	scene := sh.scene(0, KitRights)
	scene.Record = id
	return scene, nil
}

func (s *shop) announces(ctx context.Context, conn *pgx.Conn) error {
	_, err := s.announce(ctx, conn)
	return err
}

// announce stores a parcel and tells the carrier its id.
func (s *shop) announce(ctx context.Context, conn *pgx.Conn) (string, error) {
	begun, id := time.Now(), newUUID()
	if err := tagged(ctx, conn, "INSERT INTO parcels (id, order_id, carrier, label) VALUES ($1, $2, 'south-freight', $3)", id, s.any(), "SF"+newCode(9)); err != nil {
		return id, err
	}
	s.answered(begun, "POST", "/parcels", 201, id, "parcel announced")
	return id, nil
}

func (s *shop) parcel(ctx context.Context, conn *pgx.Conn, id string, want int) error {
	begun := time.Now()
	found, err := one(ctx, conn, "SELECT carrier, label FROM parcels WHERE id = $1", id)
	if err != nil {
		return err
	}
	status := 404
	if found {
		status = 200
	}
	s.answered(begun, "GET", "/parcels/"+id, status, id, "")
	if status != want {
		return fmt.Errorf("parcel %s answered %d, not %d", id, status, want)
	}
	return nil
}
