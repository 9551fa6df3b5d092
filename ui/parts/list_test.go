package parts

import (
	"fmt"
	"testing"

	"github.com/muesli/termenv"

	"inquest/ui/theme"
)

func TestListStaysOnItsRows(t *testing.T) {
	var l List
	l.SetLen(100)
	l.Move(1000)
	if from, to := l.Window(10); l.Cursor() != 99 || from != 90 || to != 100 {
		t.Fatal(l.Cursor(), from, to)
	}
	l.SetLen(5)
	if from, to := l.Window(10); l.Cursor() != 4 || from != 0 || to != 5 {
		t.Fatal(l.Cursor(), from, to)
	}
	l.SetLen(0)
	if from, to := l.Window(10); l.Cursor() != 0 || from != to {
		t.Fatal(l.Cursor(), from, to)
	}
	l.Move(-3)
	if l.Cursor() != 0 {
		t.Fatal(l.Cursor())
	}
}

// BenchmarkRows draws one screen of 200×50 out of 10 thousand and out of 10
// million rows: both must cost the same.
func BenchmarkRows(b *testing.B) {
	th, err := theme.New(theme.Options{Profile: termenv.ANSI256})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var l List
			l.SetLen(n)
			for i := range b.N {
				l.Select(i * 7919 % n)
				l.Draw(50, func(i int, selected bool) string {
					return NewLine(200).Add(th.Key, "▸ ").Cell(th.Accent, "14:58:03.412", 18).Cell(th.Dim, "log:app", 12).
						Clean(th.Text, "200 GET /v1/dtros/e7a4bff2-adc7-4847-a9d8-25734601b405 trace 4bf92f3577b34da6").Right(th.Dim, "E1").String()
				})
			}
		})
	}
}
