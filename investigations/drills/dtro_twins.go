package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// dtroTwin is an incident of the traffic order service other than the default one.
type dtroTwin func(ctx context.Context, st *Stage, svc *dtroService, conn *pgx.Conn, row dtroRow) (id string, err error)

func (play dtroTwin) stage(ctx context.Context, s *Stage) (Scene, error) {
	svc, err := openDtro(ctx, s)
	if err != nil {
		return Scene{}, err
	}
	session := Session{Role: dtroRole, Database: dtroDatabase}
	traffic := s.Traffic(ctx, session, 3, Pace{8 * time.Millisecond, 45 * time.Millisecond}, svc.step)
	conn, err := s.Connect(ctx, session)
	if err != nil {
		return Scene{}, err
	}
	row := dtroRow{id: newUUID(), reference: fmt.Sprintf("%d/TTRO/11902", svc.pubs[0].tra), owner: svc.pubs[0]}
	stored, err := svc.create(ctx, conn, row, func(at time.Time) {
		svc.logs.record(at.Add(7*time.Millisecond), "createFromBody", 201, row.id, row.reference)
	})
	if err == nil && !stored {
		err = errors.New("the order was not stored")
	}
	if err := errors.Join(err, s.Pause(ctx, 250*time.Millisecond)); err != nil {
		return Scene{}, err
	}
	id, err := play(ctx, s, svc, conn, row)
	if err != nil {
		return Scene{}, err
	}
	row.id = id
	if err := errors.Join(svc.followUp(ctx, s, conn, row), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	return Scene{
		Record: id, DBs: []Connection{s.Connection("prod", dtroDatabase, KitRights)}, AppRole: dtroRole,
		Logs: append([]string{s.Server.LogFile()}, svc.logs.paths()...),
	}, nil
}

func dtroSpec() ServerSpec {
	return ServerSpec{Settings: map[string]string{
		"log_line_prefix": "%m [%p]: [%l-1] db=%d,user=%u ", "log_statement": "none", "max_connections": "25",
	}}
}

const dtroStory = "A publisher sent an order and got 201 with an id. Every update and every read of it now says that it does not exist. The publisher's own audit shows no delete."
