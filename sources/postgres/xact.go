package postgres

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Statuses of a transaction. Future: the server has never handed this id out,
// so a commit that somebody saw was lost; it stops being future when the id is
// handed out again, to somebody else. Forgotten: too old, the status is gone.
const (
	XactCommitted  = "committed"
	XactAborted    = "aborted"
	XactInProgress = "in progress"
	XactFuture     = "future"
	XactForgotten  = "forgotten"
)

// XactStatus is what the server says of one transaction id now.
type XactStatus struct {
	XID     uint32    `json:"xid"`
	FullXID uint64    `json:"full_xid,omitempty"` // with epoch; 0 when future
	Status  string    `json:"status"`
	Time    time.Time `json:"time,omitzero"` // commit time, where track_commit_timestamp knows it
	Origin  uint32    `json:"origin,omitempty"`
	// OriginName is the replication origin that the commit was applied from.
	OriginName string    `json:"origin_name,omitempty"`
	Asked      time.Time `json:"asked"` // on the server's clock
}

const xactNextSQL = `select pg_snapshot_xmax(pg_current_snapshot())::text as next, clock_timestamp()::text as now`

const xactSQL = `select x.n, pg_xact_status(x.n::text::xid8) as status, `

// XactStatus asks for the status and, where kept, the commit time of
// transactions, subtransactions included. The answers are in the order asked.
// It assigns no transaction id.
func (s *Server) XactStatus(ctx context.Context, xids []uint32) ([]XactStatus, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if b := f.xactStatusBlind(); b != nil {
		return nil, b
	}
	tab, err := s.query(ctx, "next transaction id", xactNextSQL)
	if err != nil {
		return nil, err
	}
	next, _ := strconv.ParseUint(tab.Text(0, "next"), 10, 64)
	asked := parseTime(tab.Text(0, "now"))
	out := make([]XactStatus, len(xids))
	var past []int
	for i, x := range xids {
		out[i] = XactStatus{XID: x, Asked: asked}
		full, before := fullXID(x, next)
		out[i].FullXID = full
		switch {
		case x < 3: // bootstrap and frozen: access/transam.h
			out[i].Status, out[i].FullXID = XactCommitted, uint64(x)
		case before:
			past = append(past, i)
		default:
			if err := s.xactAhead(ctx, f, &out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, s.xactsPast(ctx, f, out, past)
}

// fullXID adds the epoch to an id by the rule that ids on disk lie within 2^31
// of the next one, and reports whether it lies before next.
func fullXID(x uint32, next uint64) (uint64, bool) {
	diff := int32(x - uint32(next))
	full := next + uint64(int64(diff))
	if diff < 0 && uint64(-int64(diff)) > next {
		return uint64(x), false
	}
	return full, diff < 0
}

func xactColumns(f *Facts) string {
	switch {
	case f.Settings["track_commit_timestamp"] != "on" || !f.Functions["pg_xact_commit_timestamp(xid)"]:
		return xactSQL + "null as time, null as origin, null as name"
	case f.Major() < 14:
		return xactSQL + "pg_xact_commit_timestamp((x.n & 4294967295)::text::xid) as time, null as origin, null as name"
	}
	return xactSQL + `o.timestamp as time, o.roident::bigint as origin, (select roname from pg_replication_origin r where r.roident = o.roident) as name`
}

func xactFrom(f *Facts) string {
	from := " from unnest($1::bigint[]) with ordinality x(n, i)"
	if f.Major() >= 14 && f.Settings["track_commit_timestamp"] == "on" {
		from += " cross join lateral pg_xact_commit_timestamp_origin((x.n & 4294967295)::text::xid) o"
	}
	return from + " order by x.i"
}

func (s *Server) xactsPast(ctx context.Context, f *Facts, out []XactStatus, past []int) error {
	if len(past) == 0 {
		return nil
	}
	full := make([]int64, len(past))
	for k, i := range past {
		full[k] = int64(out[i].FullXID)
	}
	tab, err := s.query(ctx, "status of transactions", xactColumns(f)+xactFrom(f), numberArray(full))
	if err != nil {
		return err
	}
	for k, i := range past {
		x := &out[i]
		x.Status = tab.Text(k, "status")
		if x.Status == "" {
			x.Status = XactForgotten
		}
		x.Time = parseTime(tab.Text(k, "time"))
		x.Origin = uint32(number(tab, k, "origin"))
		x.OriginName = tab.Text(k, "name")
	}
	return nil
}

// xactAhead asks for an id at or after the snapshot's end, which may run now or
// may never have been handed out: the server refuses to answer then.
func (s *Server) xactAhead(ctx context.Context, f *Facts, x *XactStatus) error {
	one := []XactStatus{*x}
	err := s.xactsPast(ctx, f, one, []int{0})
	var pe *pgconn.PgError
	switch {
	case err == nil:
		*x = one[0]
		return nil
	case errors.As(err, &pe) && pe.Code == "22023":
		x.Status, x.FullXID = XactFuture, 0
		return nil
	}
	return err
}
