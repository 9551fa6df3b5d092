package drills

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	hotelDatabase = "reservations"
	hotelRole     = "booking_svc"
)

// hotelTables has text keys, made by the service: BK- and seven letters or digits.
const hotelTables = `
CREATE TABLE rooms (id integer PRIMARY KEY, name text NOT NULL, last_quoted timestamptz);
CREATE TABLE bookings (
  code text PRIMARY KEY, room_id integer NOT NULL REFERENCES rooms, guest text NOT NULL, channel text,
  arrives date NOT NULL, nights integer NOT NULL CHECK (nights BETWEEN 1 AND 60), status text NOT NULL DEFAULT 'confirmed',
  hidden boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz);
CREATE INDEX bookings_room_arrives_idx ON bookings (room_id, arrives);
CREATE TABLE blocked_guests (guest text PRIMARY KEY, since date NOT NULL DEFAULT current_date);
INSERT INTO rooms SELECT n, 'Room ' || n FROM generate_series(1, 40) n;
INSERT INTO blocked_guests (guest) VALUES ('Blank Agency'), ('Test Guest');
INSERT INTO bookings (code, room_id, guest, channel, arrives, nights, created_at)
SELECT 'BK-' || upper(substr(md5(n::text), 1, 7)), 1 + n % 40, 'Guest ' || n, 'web', current_date + n % 90, 1 + n % 9, now() - n * interval '2 hours'
FROM generate_series(1, 500) n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO booking_svc;`

// hotel is the bookings service. It logs in logfmt.
type hotel struct {
	*service
	st *Stage

	mu    sync.Mutex
	codes []string
}

func openHotel(ctx context.Context, s *Stage, roles []string, extra ...string) (*hotel, error) {
	err := s.Provision(ctx, Database{
		Name: hotelDatabase, Owner: "hotel_owner", Roles: append([]string{hotelRole}, roles...), MigratesAs: "flyway",
		Schema: append([]string{hotelTables}, extra...),
	})
	if err != nil {
		return nil, err
	}
	svc, err := newService(s, "bookings", "bookings.log", logfmtAnswers)
	if err != nil {
		return nil, err
	}
	return &hotel{service: svc, st: s}, nil
}

func (h *hotel) app() Session {
	return Session{Role: hotelRole, Database: hotelDatabase, App: "bookings"}
}

// booking is what a guest books.
type booking struct {
	code, guest, channel string
	room                 int
}

func newBooking() booking {
	return booking{code: "BK-" + newCode(7), guest: fmt.Sprintf("Guest %d", 1000+rand.IntN(9000)), channel: pick([]string{"web", "desk", "partner"}), room: 1 + rand.IntN(40)}
}

// quote is what every booking begins with: is the code free, and the room?
func (h *hotel) quote(ctx context.Context, conn *pgx.Conn, b booking) error {
	if err := touch(ctx, conn, "SELECT code FROM bookings WHERE code = $1", b.code); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "UPDATE rooms SET last_quoted = now() WHERE id = $1", b.room); err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	return nil
}

const bookingInsert = "INSERT INTO bookings (code, room_id, guest, channel, arrives, nights) VALUES ($1, $2, $3, $4, current_date + 14, $5)"

// book stores a booking as it should be.
func (h *hotel) book(ctx context.Context, conn *pgx.Conn) (booking, error) {
	begun, b := time.Now(), newBooking()
	if err := h.quote(ctx, conn, b); err != nil {
		return b, err
	}
	if _, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, 1+rand.IntN(8)); err != nil {
		return b, fmt.Errorf("book: %w", err)
	}
	h.confirmed(begun, b)
	return b, nil
}

// remember lets the traffic ask for a booking and change it. No drill's own booking
// is remembered: what happens to it is the drill's to say.
func (h *hotel) remember(b booking) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = append(h.codes, b.code)
}

func (h *hotel) confirmed(begun time.Time, b booking) {
	h.answered(begun, "POST", "/bookings", 201, b.code, "booking confirmed")
}

// find reads a booking for a guest and returns the status of the answer.
func (h *hotel) find(ctx context.Context, conn *pgx.Conn, code string) (int, error) {
	begun := time.Now()
	found, err := one(ctx, conn, "SELECT * FROM bookings WHERE code = $1 AND NOT hidden", code)
	if err != nil {
		return 0, err
	}
	status := 200
	if !found {
		status = 404
	}
	h.answered(begun, "GET", "/bookings/"+code, status, code, "")
	return status, nil
}

// missing reads a booking that the service must not find.
func (h *hotel) missing(ctx context.Context, code string, after time.Duration) error {
	if err := h.st.Pause(ctx, after); err != nil {
		return err
	}
	conn, err := h.st.Connect(ctx, h.app())
	if err != nil {
		return err
	}
	status, err := h.find(ctx, conn, code)
	if err == nil && status != 404 {
		err = fmt.Errorf("booking %s answered %d and should be missing", code, status)
	}
	return errors.Join(err, h.st.Leave(ctx, conn))
}

// step is one request of the ordinary traffic.
func (h *hotel) step(ctx context.Context, conn *pgx.Conn) error {
	h.mu.Lock()
	codes := h.codes
	h.mu.Unlock()
	var err error
	switch n := rand.IntN(10); {
	case n < 4 || len(codes) == 0:
		var b booking
		if b, err = h.book(ctx, conn); err == nil {
			h.remember(b)
		}
	case n < 6:
		begun, code := time.Now(), pick(codes)
		if _, err = conn.Exec(ctx, "UPDATE bookings SET status = 'paid', updated_at = now() WHERE code = $1", code); err == nil {
			h.answered(begun, "POST", "/bookings/"+code+"/payment", 200, code, "")
		}
	default:
		_, err = h.find(ctx, conn, pick(codes))
	}
	return err
}

// run plays an incident between ordinary traffic; play returns the missing code.
func (h *hotel) run(ctx context.Context, play func(conn *pgx.Conn) (string, error)) (string, error) {
	traffic := h.st.Traffic(ctx, h.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, h.step)
	if err := h.st.Pause(ctx, 300*time.Millisecond); err != nil {
		return "", err
	}
	conn, err := h.st.Connect(ctx, h.app())
	if err != nil {
		return "", err
	}
	code, err := play(conn)
	if err != nil {
		return "", err
	}
	return code, errors.Join(h.st.Leave(ctx, conn), h.missing(ctx, code, 300*time.Millisecond), h.st.Pause(ctx, 200*time.Millisecond), traffic.Stop())
}

func (h *hotel) scene(code string, rights Rights, serverLogs ...string) Scene {
	if len(serverLogs) == 0 {
		serverLogs = []string{h.st.Server.LogFile()}
	}
	return Scene{
		Record: code, DBs: []Connection{h.st.Connection("reservations", hotelDatabase, rights)}, AppRole: hotelRole,
		Logs: append(serverLogs, h.log.Path),
	}
}

const hotelStory = "A guest holds a confirmation with a booking code. The hotel's system does not know the code, and did not five minutes later either."

func (h *hotel) forgetAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = nil
}

// bookAndFind books and reads the booking back, as a guest does.
func (h *hotel) bookAndFind(ctx context.Context) (booking, error) {
	conn, err := h.st.Connect(ctx, h.app())
	if err != nil {
		return booking{}, err
	}
	b, err := h.book(ctx, conn)
	if err != nil {
		return b, err
	}
	status, err := h.find(ctx, conn, b.code)
	if err == nil && status != 200 {
		err = fmt.Errorf("booking %s answered %d right after it was made", b.code, status)
	}
	return b, errors.Join(err, h.st.Leave(ctx, conn))
}
