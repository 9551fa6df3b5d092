package drills

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	archiveDatabase = "papers"
	archiveRole     = "papers_web"
)

// archiveTables has a composite key, and rows that only their tenant sees.
const archiveTables = `
CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE documents (
  tenant_id integer NOT NULL REFERENCES tenants, doc_id integer NOT NULL, title text NOT NULL, body text NOT NULL,
  folder_tenant integer NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz,
  PRIMARY KEY (tenant_id, doc_id));
INSERT INTO tenants SELECT n, 'Tenant ' || n FROM generate_series(1, 12) n;
INSERT INTO documents (tenant_id, doc_id, title, body, folder_tenant, created_at)
SELECT 1 + n % 12, 1000 + n, 'Document ' || n, repeat('All that was said on page ' || n || '. ', 6), 1 + n % 12, now() - n * interval '1 hour'
FROM generate_series(1, 600) n;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON documents USING (folder_tenant = current_setting('app.tenant', true)::integer) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO papers_web;`

// archive is the document service. It logs like a Java program, in local time.
type archive struct {
	*service
	st *Stage

	mu   sync.Mutex
	docs []document
	next int
}

type document struct{ tenant, id int }

func (d document) key() string { return fmt.Sprintf("tenant_id=%d,doc_id=%d", d.tenant, d.id) }

func openArchive(ctx context.Context, s *Stage, zone *time.Location, extra ...string) (*archive, error) {
	err := s.Provision(ctx, Database{
		Name: archiveDatabase, Owner: "papers_owner", Roles: []string{archiveRole}, MigratesAs: "liquibase", Schema: append([]string{archiveTables}, extra...),
	})
	if err != nil {
		return nil, err
	}
	svc, err := newService(s, "papers", "papers-web.log", javaAnswers(zone))
	if err != nil {
		return nil, err
	}
	return &archive{service: svc, st: s, next: 41000}, nil
}

func (a *archive) app() Session {
	return Session{Role: archiveRole, Database: archiveDatabase, App: "papers-web"}
}

// save stores a document; folder is the tenant that its folder belongs to.
func (a *archive) save(ctx context.Context, conn *pgx.Conn, tenant, folder int) (document, error) {
	begun := time.Now()
	a.mu.Lock()
	a.next++
	d := document{tenant: tenant, id: a.next}
	a.mu.Unlock()
	if err := a.as(ctx, conn, tenant); err != nil {
		return d, err
	}
	if _, err := conn.Exec(ctx, "INSERT INTO documents (tenant_id, doc_id, title, body, folder_tenant) VALUES ($1, $2, $3, $4, $5)", d.tenant, d.id, "Minutes", "What was agreed.", folder); err != nil {
		return d, fmt.Errorf("save a document: %w", err)
	}
	a.answered(begun, "PUT", fmt.Sprintf("/tenants/%d/documents/%d", d.tenant, d.id), 201, "", "saved")
	return d, nil
}

// as tells the session whose rows it may see.
func (a *archive) as(ctx context.Context, conn *pgx.Conn, tenant int) error {
	if _, err := conn.Exec(ctx, "SELECT set_config('app.tenant', $1, false)", fmt.Sprint(tenant)); err != nil {
		return fmt.Errorf("choose tenant %d: %w", tenant, err)
	}
	return nil
}

func (a *archive) open(ctx context.Context, conn *pgx.Conn, d document) (int, error) {
	begun := time.Now()
	if err := a.as(ctx, conn, d.tenant); err != nil {
		return 0, err
	}
	found, err := one(ctx, conn, "SELECT title, body FROM documents WHERE tenant_id = $1 AND doc_id = $2", d.tenant, d.id)
	if err != nil {
		return 0, err
	}
	status := 200
	if !found {
		status = 404
	}
	a.answered(begun, "GET", fmt.Sprintf("/tenants/%d/documents/%d", d.tenant, d.id), status, "", "")
	return status, nil
}

func (a *archive) step(ctx context.Context, conn *pgx.Conn) error {
	a.mu.Lock()
	docs := a.docs
	a.mu.Unlock()
	if len(docs) == 0 || rand.IntN(3) == 0 {
		tenant := 1 + rand.IntN(12)
		d, err := a.save(ctx, conn, tenant, tenant)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.docs = append(a.docs, d)
		return err
	}
	_, err := a.open(ctx, conn, pick(docs))
	return err
}

// scene gives the application's setting along, as the person on call knows it.
func (a *archive) scene(d document, rights Rights) Scene {
	return Scene{
		Record: d.key(), DBs: []Connection{a.st.Connection("papers", archiveDatabase, rights)}, AppRole: archiveRole,
		AppSettings: map[string]string{"app.tenant": fmt.Sprint(d.tenant)}, Logs: []string{a.st.Server.LogFile(), a.log.Path},
	}
}
