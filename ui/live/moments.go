package live

import (
	"maps"
	"slices"
	"sort"
	"time"

	"inquest/investigations"
	"inquest/ui/backend"
)

// moments serves a list as backend.Moments, with the times of each source apart
// so that histograms count by bisection.
type moments struct {
	list  []investigations.Moment
	timed int
	times map[string][]int64
	names []string
}

var _ backend.Moments = (*moments)(nil)

// NewMoments returns a list of moments, timed ones first and in order, as
// Moments. The list must not change.
func NewMoments(list []investigations.Moment) backend.Moments {
	m := &moments{list: list, times: map[string][]int64{}}
	m.timed = sort.Search(len(list), func(i int) bool { return list[i].Time.IsZero() })
	for _, x := range list[:m.timed] {
		m.times[x.Source] = append(m.times[x.Source], x.Time.UnixNano())
		m.times[""] = append(m.times[""], x.Time.UnixNano())
	}
	names := map[string]bool{}
	for _, x := range list {
		names[x.Source] = true
	}
	m.names = slices.Sorted(maps.Keys(names))
	return m
}

func (m *moments) Len() int                       { return len(m.list) }
func (m *moments) Timed() int                     { return m.timed }
func (m *moments) At(i int) investigations.Moment { return m.list[i] }
func (m *moments) Sources() []string              { return m.names }

func (m *moments) Find(t time.Time) int {
	return sort.Search(m.timed, func(i int) bool { return !m.list[i].Time.Before(t) })
}

func (m *moments) Count(source string, from, until time.Time) int {
	times := m.times[source]
	lo, _ := slices.BinarySearch(times, from.UnixNano())
	hi, _ := slices.BinarySearch(times, until.UnixNano())
	return hi - lo
}
