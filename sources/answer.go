package sources

import (
	"context"
	"time"
)

// Asker is the ability to ask an HTTP API for one record.
type Asker interface {
	// Ask sends one GET. parts are the columns of a composite id, nil for a plain
	// one. It returns a *Blind when no answer came: refused, timed out, not trusted.
	// An answer of any status is an answer.
	Ask(ctx context.Context, id string, parts map[string]string) (*Answer, error)
}

// Answer is what an HTTP API answered.
type Answer struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
	// Type is the media type without parameters, in lower case.
	Type string `json:"type,omitempty"`
	Body string `json:"body,omitempty"`
	// BodyNote says what of the body was left out, and why.
	BodyNote string `json:"body_note,omitempty"`
	// Final is the URL that answered, when redirects within the host were followed.
	Final string `json:"final,omitempty"`
	// Location is where a redirect that was not followed points to.
	Location string `json:"location,omitempty"`
	// Sent and Received are on this computer's clock: just before the request was
	// written, and when the first byte of the answer came.
	Sent     time.Time `json:"sent"`
	Received time.Time `json:"received"`
	// Date is the answer's Date header, in whole seconds; zero when it had none or
	// when a cache may have kept it.
	Date time.Time `json:"date,omitzero"`
}

// ClockOffset returns how far the clock of whoever answered is ahead of this
// computer's, with its error, and false when the answer does not tell. The Date
// header was cut to a second, somewhere between Sent and Received.
func (a Answer) ClockOffset() (offset, within time.Duration, ok bool) {
	if a.Date.IsZero() || a.Sent.IsZero() || a.Received.Before(a.Sent) {
		return 0, 0, false
	}
	low, high := a.Date.Sub(a.Received), a.Date.Add(time.Second).Sub(a.Sent)
	return (low + high) / 2, (high - low) / 2, true
}
