package investigations_test

import (
	"testing"
	"time"

	inv "inquest/investigations"
)

// TestTimeInID uses the examples of RFC 9562 (appendix A), of the ULID, KSUID
// and BSON specifications.
func TestTimeInID(t *testing.T) {
	rfc := time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)
	for id, want := range map[string]struct {
		at  time.Time
		how string
	}{
		"C232AB00-9414-11EC-B3C8-9F6BDECED846":   {rfc, "UUIDv1"},
		"1EC9414C-232A-6B00-B3C8-9F6BDECED846":   {rfc, "UUIDv6"},
		"017F22E2-79B0-7CC3-98C4-DC0C0C07398F":   {rfc, "UUIDv7"},
		"{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}": {rfc, "UUIDv7"},
		" 017f22e279b07cc398c4dc0c0c07398f ":     {rfc, "UUIDv7"},
		"01ARZ3NDEKTSV4RRFFQ69G5FAV":             {time.UnixMilli(1469922850259).UTC(), "ULID"},
		"01arz3ndektsv4rrffq69g5fav":             {time.UnixMilli(1469922850259).UTC(), "ULID"},
		"0ujtsYcgvSTl8PAuAdqWYSMnLOv":            {time.Date(2017, 10, 10, 4, 0, 47, 0, time.UTC), "KSUID"},
		"507f1f77bcf86cd799439011":               {time.Date(2012, 10, 17, 21, 13, 27, 0, time.UTC), "ObjectId"},
	} {
		at, how, ok := inv.TimeInID(id)
		if !ok || !at.Equal(want.at) || how != "the time inside the "+want.how {
			t.Errorf("%s: %v %q %v, want %v", id, at, how, ok, want)
		}
	}
	for _, id := range []string{
		recordID, "", "42", "1541815603606036480", "201711271458030000000001", "5025112714580300000000000a", "919108f7-52d1-4320-9bac-f847db4148a8",
		"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f", "tenant/42",
		"zzzzzzzzzzzzzzzzzzzzzzzzzzz", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "000000000000000000000000", "tenant_id=7,doc_id=42",
	} {
		if at, how, ok := inv.TimeInID(id); ok {
			t.Errorf("%q: %v %s", id, at, how)
		}
	}
}

func FuzzTimeInID(f *testing.F) {
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	f.Fuzz(func(t *testing.T, id string) {
		if at, _, ok := inv.TimeInID(id); ok && (at.Year() < 2000 || at.Year() >= 2100) {
			t.Error(at)
		}
	})
}
