package ui_test

import (
	"fmt"
	"testing"
	"time"

	"inquest/ui"
	"inquest/ui/uitest"
)

// BenchmarkView draws the case screen and the timeline at 200×50, with few and
// with many events: the goal is half a millisecond, whatever the number.
func BenchmarkView(b *testing.B) {
	for _, n := range []int{10_000, 200_000} {
		for _, page := range []struct {
			name string
			keys []string
		}{{"case", []string{"tab", "tab"}}, {"timeline", []string{"t"}}} {
			b.Run(fmt.Sprintf("%s/%d", page.name, n), func(b *testing.B) {
				f := uitest.NewFake()
				f.Events = n
				d := uitest.New(b, f, 200, 50, func(*ui.Options) {})
				d.Press("enter", "R")
				d.Press(page.keys...)
				d.Press("pgdown", "pgdown")
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if d.App.View() == "" {
						b.Fatal("nothing drawn")
					}
				}
			})
		}
	}
}

// BenchmarkTenMillion draws the timeline of ten thousand and of ten million
// events at 200×50, one page further each time: the cost must be the same. It includes working out
// the events; ns/view is the View alone.
func BenchmarkTenMillion(b *testing.B) {
	for _, n := range []int{10_000, tenMillion} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := uitest.NewFake()
			f.Long = &uitest.Long{N: n}
			d := uitest.New(b, f, 200, 50)
			d.Press("enter", "t")
			page := uitest.Key("pgdown")
			var drawing time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				d.App.Update(page)
				start := time.Now()
				if d.App.View() == "" {
					b.Fatal("nothing drawn")
				}
				drawing += time.Since(start)
			}
			b.ReportMetric(float64(drawing.Nanoseconds())/float64(b.N), "ns/view")
		})
	}
}

// BenchmarkScreens draws every scene of the goldens at 200×50: the goal is half
// a millisecond for each.
func BenchmarkScreens(b *testing.B) {
	for _, s := range scenes() {
		b.Run(s.name, func(b *testing.B) {
			f := uitest.NewFake()
			if s.fake != nil {
				s.fake(f)
			}
			d := uitest.New(b, f, 200, 50)
			press(d, s.keys)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if d.App.View() == "" {
					b.Fatal("nothing drawn")
				}
			}
		})
	}
}
