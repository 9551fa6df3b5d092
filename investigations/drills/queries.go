package drills

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tagged reports whether a command's tag says that rows were touched.
func tagged(ctx context.Context, conn *pgx.Conn, sql string, args ...any) error {
	tag, err := conn.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("run %q: %w", firstLine(sql), err)
	}
	if tag.RowsAffected() == 0 && !strings.HasPrefix(sql, "TRUNCATE") {
		return fmt.Errorf("run %q: no row was touched", firstLine(sql))
	}
	return nil
}

// touch runs a query for its own sake.
func touch(ctx context.Context, conn *pgx.Conn, sql string, args ...any) error {
	_, err := one(ctx, conn, sql, args...)
	return err
}

// one reports whether a query gives any row.
func one(ctx context.Context, conn *pgx.Conn, sql string, args ...any) (bool, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return false, fmt.Errorf("query %q: %w", firstLine(sql), err)
	}
	found := false
	for rows.Next() {
		found = true
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("query %q: %w", firstLine(sql), err)
	}
	return found, nil
}
