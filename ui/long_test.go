package ui_test

import (
	"runtime"
	"testing"
	"time"

	"inquest/ui/uitest"
)

const tenMillion = 10_000_000

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestTenMillionEvents opens, scrolls, jumps in, filters and narrows a timeline
// of ten million events on the real screens: what is not on screen is not read,
// and the memory is that of what is shown.
func TestTenMillionEvents(t *testing.T) {
	f := uitest.NewFake()
	f.Long = &uitest.Long{N: tenMillion}
	d := uitest.New(t, f, 200, 50)
	before := heap()
	start := time.Now()
	d.Press("enter", "t")
	want(t, d, "10000000 of 10000000 events", "▸ 27 Nov 14:28:00.000")
	if took := time.Since(start); took > time.Second {
		t.Errorf("it opened in %s", took)
	}
	for _, k := range []string{"G", "pgup", "g", "pgdown", "down"} {
		d.Press(k)
		if d.View() == "" {
			t.Fatal("nothing drawn")
		}
	}
	d.Press("@")
	d.Type("15:28")
	d.Press("enter")
	want(t, d, "15:28:00.000", "3600001 of 10000000")
	if f.Long.Asked > 20_000 {
		t.Errorf("%d events were read for a few screens", f.Long.Asked)
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the open timeline holds %d KiB", grown>>10)
	}

	d.Press("o") // one source alone: read beside the screen
	want(t, d, "2000000 of 10000000 events")
	d.Press("G")
	want(t, d, "log:app-1.log")
	if grown := heap() - before; grown > 6<<20 {
		t.Errorf("the narrowed timeline holds %d KiB", grown>>10)
	}
	d.Press("o", "f")
	want(t, d, "7 of 10000000 events", "follows req-")
	d.Press("esc")
	want(t, d, "10000000 of 10000000 events")
}

// TestLongFilterIsCancelled types into the filter of a long timeline: each key
// stops the search of the one before.
func TestLongFilterIsCancelled(t *testing.T) {
	f := uitest.NewFake()
	f.Long = &uitest.Long{N: 200_000}
	d := uitest.New(t, f, 120, 40)
	d.Press("enter", "t", "/")
	d.Type("/199999")
	d.Press("enter", "G")
	want(t, d, "14:31:19.999")
	if d.Has("200000 of 200000") {
		t.Fatalf("nothing was filtered:\n%s", d.View())
	}
}
