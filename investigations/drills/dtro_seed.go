package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

const (
	dtroDatabase = "dtro-prod-database"
	dtroRole     = "dtro"
	dtroRows     = 2400 // stored before the traffic starts
	dtroBatches  = 24   // transactions they came in
)

// publisher is an organisation that sends orders, with its app at the gateway.
type publisher struct {
	appID, userID, name, addr string
	tra                       int
}

// dtroRow is what the simulation has to know of a stored order.
type dtroRow struct {
	id, reference string
	owner         publisher
	created       time.Time
	unusable      bool // deleted, or without provisions
}

func newPublishers() []publisher {
	names := []string{"Aldermoor Council", "Brackley Vale Council", "Carrow Borough", "Dunmere Council", "Eastholt Borough", "Fenwick and Lea Council"}
	out := make([]publisher, len(names))
	for i, n := range names {
		out[i] = publisher{appID: newUUID(), userID: newUUID(), name: n, tra: 7010 + 35*i, addr: fmt.Sprintf("203.0.113.%d", 20+i)}
	}
	return out
}

// seedPublishers stores the publishers, a user and an application of each, and
// today's metrics row of each.
func seedPublishers(ctx context.Context, conn *pgx.Conn, pubs []publisher) error {
	b := &pgx.Batch{}
	for _, p := range pubs {
		user, tra := newUUID(), newUUID()
		b.Queue(`INSERT INTO "DtroUsers" VALUES ($1, $2, $3, $4, 'PUB', 1)`, p.userID, p.appID, p.tra, p.name)
		b.Queue(`INSERT INTO "TrafficRegulationAuthorities" VALUES ($1, $2, now() - interval '300 days', NULL, 'Active', $3)`, tra, p.name, p.tra)
		b.Queue(`INSERT INTO "Users" SELECT $1, now() - interval '200 days', NULL, 'Sam', $2, $3, false, s."Id", d."Id", true
			FROM "UserStatuses" s, "DigitalServiceProvider" d WHERE s."Status" = 'Active' LIMIT 1`, user, "Publisher "+p.name[:3], strings.ToLower(p.name[:4])+"@example.org")
		b.Queue(`INSERT INTO "Applications" SELECT $1, now() - interval '190 days', NULL, $2, 'Publishing orders', '', '', '', '', $3, t."Id", s."Id", $4
			FROM "ApplicationTypes" t, "ApplicationStatus" s WHERE t."Name" = 'Publish' AND s."Status" = 'Active'`, p.appID, p.name, tra, user)
		b.Queue(`INSERT INTO "Metrics" VALUES ($1, current_date, 0, $2, $3, 0, 0, $4, $5, 1)`, newUUID(), rand.IntN(9), rand.IntN(300), rand.IntN(900), p.userID)
	}
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("store publishers: %w", err)
	}
	return nil
}

var dtroColumns = []string{
	"Id", "SchemaVersion", "Created", "LastUpdated", "Deleted", "DeletionTime", "Data", "CurrentTraOwner", "TroName",
	"OrderReportingPoints", "RegulationTypes", "VehicleTypes", "Location", "RegulationEnd", "RegulationStart", "TraCreator", "RegulatedPlaceTypes", "ApplicationId",
}

// seedDtros stores the orders of the last sixty days, oldest first; one of them
// is a consultation, which has no provision.
func seedDtros(ctx context.Context, conn *pgx.Conn, pubs []publisher, now time.Time) ([]dtroRow, error) {
	ages := make([]time.Duration, dtroRows)
	for i := range ages {
		ages[i] = time.Hour + time.Duration(rand.ExpFloat64()*float64(9*24*time.Hour))
	}
	slices.SortFunc(ages, func(a, b time.Duration) int { return int(b - a) })
	rows := make([]dtroRow, dtroRows)
	values := make([][]any, dtroRows)
	for i := range rows {
		p := pick(pubs)
		at := now.Add(-ages[i]).Truncate(time.Second)
		rows[i] = dtroRow{id: newUUID(), reference: fmt.Sprintf("%d/TTRO/%05d", p.tra, 10000+i), owner: p, created: at}
		data, deleted := dtroData(p, rows[i].reference, 1+rand.IntN(3), at), i%97 == 13
		if i == dtroRows*3/4 {
			data = consultationData(p, rows[i].reference)
		}
		rows[i].unusable = deleted || i == dtroRows*3/4
		var app any
		if i%5 == 0 {
			app = p.appID
		}
		values[i] = []any{
			rows[i].id, "3.5.0", at, at, deleted, deletionTime(deleted, at), data, p.tra, "Temporary order " + rows[i].reference,
			[]string{"ttroTtmoByOrder"},
			[]string{"kerbsideNoWaiting"},
			[]string{"all"},
			place(), at.AddDate(0, 2, 0), at.AddDate(0, 0, 3), p.tra,
			[]string{"regulationLocation"},
			app,
		}
	}
	per := dtroRows / dtroBatches
	for i := 0; i < dtroRows; i += per {
		batch := values[i:min(i+per, dtroRows)]
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"Dtros"}, dtroColumns, pgx.CopyFromRows(batch)); err != nil {
			return nil, fmt.Errorf("store orders: %w", err)
		}
	}
	return rows, nil
}

func deletionTime(deleted bool, created time.Time) any {
	if !deleted {
		return nil
	}
	return created.Add(5 * time.Hour)
}

// place is a box of a few hundred metres on the national grid.
func place() pgtype.Box {
	x, y := 300000+rand.Float64()*250000, 150000+rand.Float64()*300000
	return pgtype.Box{P: [2]pgtype.Vec2{{X: x + 300, Y: y + 200}, {X: x, Y: y}}, Valid: true}
}

type dtroSource struct {
	Source dtroBody `json:"Source"`
}

type dtroBody struct {
	ActionType      string          `json:"actionType"`
	CurrentTraOwner int             `json:"currentTraOwner"`
	Reference       string          `json:"reference"`
	Section         string          `json:"section"`
	TraAffected     []int           `json:"traAffected"`
	TraCreator      int             `json:"traCreator"`
	TroName         string          `json:"troName"`
	Provision       []dtroProvision `json:"Provision"`
}

type dtroProvision struct {
	ActionType          string       `json:"actionType"`
	OrderReportingPoint string       `json:"orderReportingPoint"`
	Description         string       `json:"provisionDescription"`
	Reference           string       `json:"reference"`
	RegulatedPlace      []dtroPlace  `json:"RegulatedPlace"`
	Regulation          []dtroRegime `json:"Regulation"`
}

type dtroPlace struct {
	Description string `json:"description"`
	Type        string `json:"type"`
	Point       string `json:"point"`
}

type dtroRegime struct {
	IsDynamic bool   `json:"isDynamic"`
	TimeZone  string `json:"timeZone"`
	Type      string `json:"type"`
	Start     string `json:"start"`
}

// dtroData is the document of an order, one to three kilobytes long.
func dtroData(p publisher, reference string, provisions int, at time.Time) string {
	body := dtroBody{
		ActionType: "new", CurrentTraOwner: p.tra, TraCreator: p.tra, TraAffected: []int{p.tra}, Reference: reference,
		Section: "Sections 14(1) and 14(2)", TroName: "Temporary order " + reference,
	}
	for i := range provisions {
		body.Provision = append(body.Provision, dtroProvision{
			ActionType: "new", OrderReportingPoint: "ttroTtmoByOrder", Reference: fmt.Sprintf("%s-P%d", reference, i+1),
			Description: pick(dtroStreets) + ": " + strings.Repeat(pick(dtroReasons)+" ", 2+rand.IntN(4)),
			RegulatedPlace: []dtroPlace{{
				Description: "From its junction with " + pick(dtroStreets) + " for a distance of " + fmt.Sprint(20+rand.IntN(300)) + " metres",
				Type:        "regulationLocation", Point: fmt.Sprintf("SRID=27700;POINT(%d %d)", 300000+rand.IntN(250000), 150000+rand.IntN(300000)),
			}},
			Regulation: []dtroRegime{{TimeZone: "Europe/London", Type: "miscPROWClosure", Start: at.AddDate(0, 0, 3).Format("2006-01-02T15:04:05")}},
		})
	}
	return mustJSON(dtroSource{body})
}

func consultationData(p publisher, reference string) string {
	type consultation struct {
		Name  string `json:"consultationName"`
		Ref   string `json:"pointOfContactReference"`
		Owner int    `json:"traOwner"`
		How   string `json:"howToComment"`
	}
	return mustJSON(struct {
		Consultation consultation `json:"Consultation"`
	}{consultation{"Proposed one-way working", reference, p.tra, strings.Repeat("Write to the authority before the end of the month. ", 20)}})
}

// mustJSON is for values that are made of text and numbers only.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var dtroStreets = []string{"Mill Lane", "Station Road", "Orchard Way", "Bridge Street", "Footpath 14", "Church Walk", "Canal Side", "Quarry Hill"}

var dtroReasons = []string{
	"No person shall cause any vehicle to wait at any time while the works are in progress.",
	"The public right of way is closed to all traffic on foot for the repair of a retaining wall.",
	"An alternative route will be signed; access to premises is kept throughout.",
}
