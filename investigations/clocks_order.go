package investigations

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Timing knows between which limits clocks are apart, from everything that was
// measured and everything of which the order is known, taken together. It is made
// by NewTiming; the zero value knows nothing.
type Timing struct {
	names []string
	// most[i][j] is by how much clock j is ahead of clock i at most; unlimited when
	// nothing tells.
	most  [][]time.Duration
	wrong []bool // clocks whose limits contradict each other
}

const unlimited = time.Duration(math.MaxInt64)

// NewTiming combines measurements and precedences. Each limits the difference of
// two clocks; what follows for two clocks that were never compared is the shortest
// path between them, and a cycle of negative length is a contradiction: no set of
// offsets fits, so nothing that touches it limits anything.
func NewTiming(clocks []Clock, order []Precedence) Timing {
	var t Timing
	for _, c := range clocks {
		if c.Unsteady {
			t.contradict(c.Source)
			t.contradict(c.Against)
			continue
		}
		t.limit(c.Source, c.Against, c.Offset+c.Error)
		t.limit(c.Against, c.Source, c.Error-c.Offset)
	}
	for _, p := range order {
		// True times: first ≤ then. So first's clock is ahead by no less than what it
		// says earlier, which limits then's clock from above.
		t.limit(p.Then.Clock, p.First.Clock, p.Then.To.Sub(p.First.From))
	}
	t.close()
	return t
}

// limit notes that clock a is ahead of clock b by at most d.
func (t *Timing) limit(a, b string, d time.Duration) {
	i, j := t.index(b), t.index(a)
	t.most[i][j] = min(t.most[i][j], d)
}

func (t *Timing) contradict(name string) { t.wrong[t.index(name)] = true }

func (t *Timing) index(name string) int {
	if i := slices.Index(t.names, name); i >= 0 {
		return i
	}
	t.names, t.wrong = append(t.names, name), append(t.wrong, false)
	for i := range t.most {
		t.most[i] = append(t.most[i], unlimited)
	}
	row := slices.Repeat([]time.Duration{unlimited}, len(t.names))
	row[len(row)-1] = 0
	t.most = append(t.most, row)
	return len(t.names) - 1
}

func (t *Timing) close() {
	n := len(t.names)
	paths := make([][]time.Duration, n)
	for i := range paths {
		paths[i] = slices.Clone(t.most[i])
	}
	shortest(paths, func(int) bool { return true })
	for i := range n {
		if paths[i][i] < 0 {
			t.wrong[i] = true
		}
	}
	// Again without those that contradict: what others told of each other stands.
	shortest(t.most, func(k int) bool { return !t.wrong[k] })
}

// shortest is the algorithm of Floyd and Warshall by way of the clocks that use
// accepts.
func shortest(d [][]time.Duration, use func(int) bool) {
	const least = -unlimited / 4 // a negative cycle must not run over
	for k := range d {
		if !use(k) {
			continue
		}
		for i := range d {
			for j := range d {
				if d[i][k] != unlimited && d[k][j] != unlimited {
					d[i][j] = min(d[i][j], max(d[i][k]+d[k][j], least))
				}
			}
		}
	}
}

// Ahead returns between which limits source's clock is ahead of against's; nil is
// open. Both are open when nothing tells, or what tells contradicts itself.
func (t Timing) Ahead(source, against string) (low, high *time.Duration) {
	a, b := slices.Index(t.names, source), slices.Index(t.names, against)
	if a < 0 || b < 0 || t.wrong[a] || t.wrong[b] {
		return nil, nil
	}
	if d := t.most[b][a]; d != unlimited {
		high = &d
	}
	if d := t.most[a][b]; d != unlimited {
		d = -d
		low = &d
	}
	return low, high
}

// Contradicts reports whether no offset of this clock fits what was seen.
func (t Timing) Contradicts(name string) bool {
	i := slices.Index(t.names, name)
	return i >= 0 && t.wrong[i]
}

// Order is how two events stand to each other.
type Order int

// Orders of two events.
const (
	Unordered Order = iota
	Before
	After
)

// Compare says whether event a was before or after event b, by what is known of
// their clocks. Within the limits of that, and without a limit on the side that
// matters, they are unordered. Two stamps of one clock are compared as they are.
func (t Timing) Compare(a, b Stamp) Order {
	low, high := new(time.Duration), new(time.Duration)
	if a.Clock != b.Clock {
		low, high = t.Ahead(a.Clock, b.Clock)
	} else if t.Contradicts(a.Clock) {
		return Unordered
	}
	switch {
	case low != nil && a.To.Add(-*low).Before(b.From):
		return Before
	case high != nil && a.From.Add(-*high).After(b.To):
		return After
	}
	return Unordered
}

// BoundClocks tells what the order of events says of clocks: a limit for each pair
// of them, where it is closer than what was measured, and every contradiction.
func BoundClocks(clocks []Clock, order []Precedence) []ClockBound {
	t := NewTiming(clocks, order)
	type pair struct{ source, against string }
	by := map[pair][]Precedence{}
	for _, p := range order {
		k := pair{p.First.Clock, p.Then.Clock}
		server := func(name string) bool { return strings.HasPrefix(name, "db:") }
		if server(k.source) && !server(k.against) || server(k.source) == server(k.against) && k.source > k.against {
			k = pair{k.against, k.source} // told of the log against the database
		}
		if k.source != k.against {
			by[k] = append(by[k], p)
		}
	}
	var out []ClockBound
	for k, list := range by {
		measured := slices.ContainsFunc(clocks, func(c Clock) bool {
			return c.Source == k.source && c.Against == k.against || c.Source == k.against && c.Against == k.source
		})
		b := ClockBound{Source: k.source, Against: k.against, Contradicts: t.Contradicts(k.source) || t.Contradicts(k.against)}
		b.Low, b.High = t.Ahead(k.source, k.against)
		if measured && !b.Contradicts {
			continue
		}
		var why []string
		for _, p := range list {
			why = append(why, p.Why)
			b.Evidence = append(b.Evidence, slices.Concat(p.First.Evidence, p.Then.Evidence)...)
		}
		b.From, b.Evidence = strings.Join(distinct(why), "; "), distinct(b.Evidence)
		if b.Contradicts {
			b.From = "no one offset fits: a clock was set in between, several clocks write under one name, or something here does not hold: " + b.From
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b ClockBound) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Against, b.Against))
	})
	return out
}
