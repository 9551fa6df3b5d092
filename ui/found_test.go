package ui_test

import (
	"strings"
	"testing"

	"inquest/ui/uitest"
)

func TestHitsAreShownWhileTheSearchRuns(t *testing.T) {
	f := uitest.NewFake()
	f.Slow, f.Found = true, 12_000
	d := uitest.New(t, f, 120, 40)
	d.Press("enter", "R")
	before := d.App.View()
	d.Settle()
	if d.App.View() != before {
		t.Error("progress drew the screen between two strokes of the spinner")
	}
	d.Tick()
	if !d.Has("7 shows the 12000 lines found so far, while the search goes on") {
		t.Error(d.View())
	}
	d.Press("7")
	if !d.Has("12000 lines so far, the first 5:", "app.log:1042", "27 Nov 14:58:03", "POST /v1/dtros/{id} answered 201") || d.Has("27 Nov 14:58:04") || d.Has("app.log:1050") {
		t.Error(d.View())
	}
	f.Release()
	d.Settle()
	if d.Has("so far") || d.Has("POST /v1/dtros/{id} answered") {
		t.Errorf("the hits stay when the result is there:\n%s", d.View())
	}
}

func TestHitsStayTextOfOthers(t *testing.T) {
	for _, size := range [][2]int{{200, 50}, {80, 24}, {44, 12}} {
		f := uitest.NewFake()
		f.Slow, f.Hostile, f.Found = true, true, 20
		d := uitest.New(t, f, size[0], size[1])
		d.Press("enter", "R")
		d.Tick()
		d.Press("7", "tab")
		checkFrame(t, d, size[0], size[1])
		if size[0] == 200 && !strings.Contains(d.View(), "20 lines so far") {
			t.Error(d.View())
		}
	}
}
