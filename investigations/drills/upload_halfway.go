package drills

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"inquest/investigations"
)

// uploadHalfway is a booking of a partner's upload of which a later line was bad.
func uploadHalfway() Drill {
	return Drill{
		ID: "upload-halfway", Title: "A partner's booking of this morning is unknown", Domain: "bookings",
		Story: "A partner uploaded its bookings of the season, and got a code for each. One guest stands at the desk, and the hotel's system does not know the code. Bookings made on the web are fine.",
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The upload ran as one COPY. The service gave out the codes while it read the file; line 1431 broke a check constraint, and the whole upload was rolled back, this booking with fourteen hundred others."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageUpload(ctx, s, 1500, 700, 1431)
		},
	}
}

// uploadRefused is the same with a short file: COPY stores rows by the thousand,
// and had stored none when the bad line came.
func uploadRefused() Drill {
	truth := neverWritten("insert-refused", investigations.CauseApplication,
		"The upload ran as one COPY of sixty lines, which the server collects before it stores any. Line 41 broke a check constraint: the COPY was refused, and no row of it ever came into the table. The service had given out the codes while it read the file.")
	truth.OrNone = true
	return Drill{
		ID: "upload-refused", Title: "A partner's booking of this morning is unknown", Domain: "bookings",
		Story: "A partner uploaded its bookings of the week, and got a code for each. One guest stands at the desk, and the hotel's system does not know the code. Bookings made on the web are fine.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) { return stageUpload(ctx, s, 60, 20, 41) },
	}
}

func stageUpload(ctx context.Context, s *Stage, lines, record, bad int) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	code, err := h.run(ctx, func(*pgx.Conn) (string, error) { return h.upload(ctx, lines, record, bad) })
	if err != nil {
		return Scene{}, err
	}
	return h.scene(code, KitRights), nil
}

// upload stores lines of a partner's file by COPY, of which one is bad, and
// returns the code that another one got.
func (h *hotel) upload(ctx context.Context, lines, record, bad int) (string, error) {
	who := h.app()
	who.App = "partner-upload"
	conn, err := h.st.Connect(ctx, who)
	if err != nil {
		return "", err
	}
	begun := time.Now()
	var file strings.Builder
	var code string
	for i := 1; i <= lines; i++ {
		b, nights := newBooking(), 1+i%8
		if i == bad {
			nights = 0
		}
		if i == record {
			code = b.code
		}
		if i%20 == 0 {
			h.answered(begun, "POST", "/partners/9/uploads/line", 201, b.code, fmt.Sprintf("line %d accepted", i))
		}
		fmt.Fprintf(&file, "%s\t%d\tUpload guest %d\tpartner\t2027-06-%02d\t%d\n", b.code, b.room, i, 1+i%28, nights)
	}
	_, err = conn.PgConn().CopyFrom(ctx, strings.NewReader(file.String()), "COPY bookings (code, room_id, guest, channel, arrives, nights) FROM STDIN")
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "23514" {
		return "", fmt.Errorf("the upload was to break a check, and did: %w", errOrNone(err))
	}
	h.say("upload of partner 9 finished, see the import log for warnings")
	return code, h.st.Leave(ctx, conn)
}
