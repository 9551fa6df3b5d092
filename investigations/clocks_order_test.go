package investigations_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// world is a simulation: clocks with true offsets, and what they wrote.
type world struct {
	r       *rand.Rand
	names   []string
	offset  map[string]time.Duration
	step    map[string]time.Duration // how much each cuts off its times
	changes map[string]time.Time     // when a clock was set, by jump
	jump    time.Duration
}

func newWorld(seed uint64, clocks int) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1)), offset: map[string]time.Duration{}, step: map[string]time.Duration{}, changes: map[string]time.Time{}}
	for i := range clocks {
		name := "log:" + string(rune('a'+i))
		w.names = append(w.names, name)
		w.offset[name] = time.Duration(w.r.Int64N(int64(4*time.Minute))) - 2*time.Minute
		w.step[name] = []time.Duration{time.Microsecond, time.Millisecond, time.Second}[w.r.IntN(3)]
	}
	return w
}

// write is what a clock writes of a true moment.
func (w *world) write(name string, at time.Time) inv.Stamp {
	told := at.Add(w.offset[name])
	if c, ok := w.changes[name]; ok && !at.Before(c) {
		told = told.Add(w.jump)
	}
	from := told.Truncate(w.step[name])
	return inv.Stamp{Clock: name, From: from, To: from.Add(w.step[name])}
}

func (w *world) moment() time.Time { return t0.Add(time.Duration(w.r.Int64N(int64(time.Hour)))) }

// history is a random set of causes with their effects, and of measurements.
func (w *world) history() (order []inv.Precedence, clocks []inv.Clock) {
	for range 2 + w.r.IntN(20) {
		a, b := w.names[w.r.IntN(len(w.names))], w.names[w.r.IntN(len(w.names))]
		cause := w.moment()
		effect := cause.Add(time.Duration(w.r.ExpFloat64() * float64(2*time.Second)))
		order = append(order, inv.Precedence{First: w.write(a, cause), Then: w.write(b, effect), Why: "it is its cause"})
	}
	for range w.r.IntN(3) {
		a, b := w.names[w.r.IntN(len(w.names))], w.names[w.r.IntN(len(w.names))]
		if a == b {
			continue
		}
		within := time.Duration(w.r.Int64N(int64(time.Second))) + time.Millisecond
		miss := time.Duration(w.r.Int64N(int64(2*within))) - within
		clocks = append(clocks, inv.Clock{Source: a, Against: b, Offset: w.offset[a] - w.offset[b] + miss, Error: within})
	}
	return order, clocks
}

// Under its assumptions, that each clock keeps one offset and causes come first, an
// interval always holds the true offset, and no order that is told is wrong.
func TestLimitsHoldTheTruth(t *testing.T) {
	limited, both, ordered, unordered := 0, 0, 0, 0
	for seed := range uint64(1000) {
		w := newWorld(seed, 2+int(seed%4))
		order, clocks := w.history()
		timing := inv.NewTiming(clocks, order)
		for _, a := range w.names {
			if timing.Contradicts(a) {
				t.Fatalf("seed %d: %s contradicts what is true", seed, a)
			}
			for _, b := range w.names {
				truth := w.offset[a] - w.offset[b]
				low, high := timing.Ahead(a, b)
				if low != nil && truth < *low || high != nil && truth > *high {
					t.Fatalf("seed %d: %s is %s ahead of %s, and the limits are %v to %v", seed, a, truth, b, low, high)
				}
				if low != nil || high != nil {
					limited++
				}
				if low != nil && high != nil {
					both++
				}
			}
		}
		for range 20 {
			x, y := w.moment(), w.moment()
			a, b := w.names[w.r.IntN(len(w.names))], w.names[w.r.IntN(len(w.names))]
			switch got := timing.Compare(w.write(a, x), w.write(b, y)); {
			case got == inv.Before && !x.Before(y), got == inv.After && !x.After(y):
				t.Fatalf("seed %d: order %d of %s on %s and %s on %s", seed, got, x, a, y, b)
			case got == inv.Unordered:
				unordered++
			default:
				ordered++
			}
		}
		for _, b := range inv.BoundClocks(clocks, order) {
			truth := w.offset[b.Source] - w.offset[b.Against]
			if b.Contradicts || b.Low != nil && truth < *b.Low || b.High != nil && truth > *b.High {
				t.Fatalf("seed %d: %+v, and the truth is %s", seed, b, truth)
			}
		}
	}
	if limited == 0 || both == 0 || ordered == 0 || unordered == 0 {
		t.Errorf("limited %d, both sides %d, ordered %d, unordered %d: the simulation shows nothing", limited, both, ordered, unordered)
	}
}

// A clock that was set leaves, as soon as it shows at all, a contradiction: no
// limit and no order is told of it, and those of other clocks still hold.
func TestAClockThatWasSetProvesNothing(t *testing.T) {
	contradicted := 0
	for seed := range uint64(500) {
		w := newWorld(seed, 3)
		w.jump = 10 * time.Minute
		w.changes["log:a"] = t0.Add(30 * time.Minute)
		var order []inv.Precedence
		for i := range 4 { // before and after: its events are both caused and causes
			at := t0.Add(time.Duration(10+15*i) * time.Minute)
			order = append(order,
				inv.Precedence{First: w.write("log:b", at), Then: w.write("log:a", at.Add(time.Second))},
				inv.Precedence{First: w.write("log:a", at), Then: w.write("log:b", at.Add(time.Second))})
		}
		order = append(order, inv.Precedence{First: w.write("log:b", t0), Then: w.write("log:c", t0.Add(time.Second))})
		timing := inv.NewTiming(nil, order)
		if !timing.Contradicts("log:a") {
			t.Fatalf("seed %d: a clock that was set by %s is not found out", seed, w.jump)
		}
		contradicted++
		if low, high := timing.Ahead("log:a", "log:b"); low != nil || high != nil {
			t.Fatalf("seed %d: a limit of it is told", seed)
		}
		if got := timing.Compare(w.write("log:a", t0), w.write("log:b", t0.Add(time.Hour))); got != inv.Unordered {
			t.Fatalf("seed %d: an order of it is told", seed)
		}
		bounds := inv.BoundClocks(nil, order)
		if !slices.ContainsFunc(bounds, func(b inv.ClockBound) bool {
			return b.Contradicts && b.Low == nil && strings.Contains(b.From, "a clock was set")
		}) {
			t.Fatalf("seed %d: nothing says so: %+v", seed, bounds)
		}
	}
	if contradicted != 500 {
		t.Error(contradicted)
	}
}

func TestUnsteadyRequests(t *testing.T) {
	var a, b []sources.Event
	for i, ahead := range []int{0, 90_000, 40, 90_100, 10} {
		id := "request-" + string(rune('a'+i))
		a, b = append(a, line("log:a", id, i*1000+ahead)), append(b, line("log:b", id, i*1000))
	}
	s := inv.State{Evidence: []inv.Evidence{item(t, "E1", inv.EvidenceEvents, "log:a", a), item(t, "E2", inv.EvidenceEvents, "log:b", b)}}
	got := inv.MeasureClocks(s, nil)
	if len(got) != 1 || !got[0].Unsteady || !got[0].Differs() || !strings.Contains(got[0].From, "by 2 of them it is -1m30.05s, by 3 -10ms") {
		t.Fatalf("%+v", got)
	}
	for _, truth := range []time.Duration{0, -90 * time.Second} {
		within(t, got[0], truth)
	}
	if inv.NewTiming(got, nil).Compare(inv.Stamp{Clock: "log:a", From: t0, To: t0}, inv.Stamp{Clock: "log:b", From: t0.Add(time.Hour), To: t0.Add(time.Hour)}) != inv.Unordered {
		t.Error("an order is told of a clock that does not keep its distance")
	}
	// Requests that took long are scattered, and no clock was set.
	var slow []sources.Event
	for i, took := range []int{100, 2_000, 9_000, 21_000, 38_000} {
		slow = append(slow, line("log:a", "request-"+string(rune('a'+i)), i*1000+took))
	}
	s = inv.State{Evidence: []inv.Evidence{item(t, "E1", inv.EvidenceEvents, "log:a", slow), item(t, "E2", inv.EvidenceEvents, "log:b", b)}}
	for _, c := range inv.MeasureClocks(s, nil) {
		if c.Unsteady {
			t.Errorf("%+v", c)
		}
	}
}

// What came before what, as facts and lines tell it.
func TestBoundsFromFacts(t *testing.T) {
	const request = "0af7651916cd43dd8448eb211c80319c"
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	fact := func(kind inv.FactKind, ms int, attrs map[string]string) inv.Fact {
		return inv.Fact{Kind: kind, Time: at(ms), Attrs: attrs, Evidence: []string{"E1"}}
	}
	stored := inv.Facts{
		fact(inv.TupleInserted, 0, map[string]string{"xid": "764", "server": "db:prod"}),
		fact(inv.XactCommitted, 5_000, map[string]string{"xid": "764", "server": "db:prod", "from": "wal"}),
	}
	told := inv.Facts{
		fact(inv.APIAnswer, 95_000, map[string]string{"op": "read", "status": "200", "source": "log:gateway"}),
		fact(inv.APIAnswer, 99_000, map[string]string{"op": "read", "status": "200", "source": "log:gateway"}),
		fact(inv.APIAnswer, 1_000, map[string]string{"op": "read", "status": "404", "source": "log:gateway"}),
		fact(inv.IDIssued, 95_100, map[string]string{"request": request, "source": "log:gateway"}),
		fact(inv.LogError, 7_000, map[string]string{"source": "log:pg", "joins": "id", "message": `null value in column "total" of relation "orders" violates not-null constraint`}),
		fact(inv.RequestFailed, 4_000, map[string]string{"source": "log:app", "message": `save failed: null value in column "total" of relation "orders" violates not-null constraint`}),
		fact(inv.LogError, 7_000, map[string]string{"source": "log:pg", "joins": "id", "message": "deadlock detected"}),
		fact(inv.RequestFailed, 1_000, map[string]string{"source": "log:other", "message": "deadlock detected"}),
	}
	began := line("log:gateway", request, 93_000)
	began.Method, began.Path = "POST", "/orders"
	answered := line("log:gateway", request, 93_500)
	answered.Method, answered.Status = "POST", 201
	s := inv.State{Record: inv.Record{ID: "48213"}, Evidence: []inv.Evidence{item(t, "E2", inv.EvidenceEvents, "log:gateway", []sources.Event{answered, began})}}
	engine := func(facts inv.Facts) inv.Engine {
		return inv.Engine{Probes: []inv.Probe{{ID: "x.y", Read: func(inv.Input) inv.Reading { return inv.Reading{Outcome: inv.Found, Facts: facts} }}}}
	}
	s.Runs = map[string]inv.Run{"x.y": {Probe: "x.y"}}
	got := engine(append(slices.Clone(stored), told...)).Assess(s)
	if len(got.Bounds) != 2 {
		t.Fatalf("%+v", got.Bounds)
	}
	app, gateway := got.Bounds[0], got.Bounds[1]
	if app.Source != "log:app" || app.Against != "log:pg" || app.Low != nil || *app.High != -2_999*time.Millisecond {
		t.Errorf("%+v", app)
	}
	if gateway.Source != "log:gateway" || gateway.Against != "db:prod" || *gateway.Low != 88*time.Second || *gateway.High != 90_001*time.Millisecond || gateway.Contradicts {
		t.Errorf("%+v", gateway)
	}
	doc := inv.NewFindings(s, got)
	if b := doc.Bounds; len(b) != 2 || b[0].AtLeastMS != nil || *b[0].AtMostMS != -2999 || *b[1].AtLeastMS != 88_000 || b[1].From == "" {
		t.Errorf("%+v", b)
	}
	// Stored twice: which commit an answer followed is not known.
	twice := append(slices.Clone(stored), fact(inv.TupleInserted, 1, map[string]string{"xid": "900", "server": "db:prod"}))
	if got := engine(append(twice, told[:4]...)).Assess(s); len(got.Bounds) != 0 {
		t.Errorf("%+v", got.Bounds)
	}
	// Shown long before it arrived: two clocks under one name, or a cache; told, and no limit.
	early := append(slices.Clone(stored), told[3], fact(inv.APIAnswer, -60_000, map[string]string{"op": "read", "status": "200", "source": "log:gateway"}))
	if got := engine(early).Assess(s).Bounds; len(got) != 1 || !got[0].Contradicts || got[0].High != nil {
		t.Errorf("%+v", got)
	}
	if empty := inv.NewFindings(inv.State{}, inv.Engine{}.Assess(inv.State{})); empty.Bounds == nil {
		t.Error("clock_bounds is null")
	}
}
