package investigations

import (
	"encoding/json"
	"runtime"
	"slices"
	"sync"

	"inquest/sources"
)

// decodedEvents are the events of one evidence item, read once for all that ask
// for them while a case is judged.
type decodedEvents struct {
	once sync.Once
	list []sources.Event
	err  error
}

func (d *decodedEvents) of(body string) ([]sources.Event, error) {
	d.once.Do(func() { d.err = json.Unmarshal([]byte(body), &d.list) })
	return d.list, d.err
}

// decodedBodies holds the events of evidence items by their id, for as long as one
// judgement takes.
type decodedBodies map[string]*decodedEvents

// attach returns the items with what was read of them; those that hold events and
// have not been read share one reading from now on.
func (d decodedBodies) attach(list []Evidence) []Evidence {
	out := slices.Clone(list)
	for i, e := range out {
		if e.Kind != EvidenceEvents {
			continue
		}
		if d[e.ID] == nil {
			d[e.ID] = &decodedEvents{}
		}
		out[i].decoded = d[e.ID]
	}
	return out
}

// ahead reads the events of many items on all processors: one after the other
// would take as many times longer.
func ahead(list []Evidence) {
	const few = 4
	var todo []Evidence
	for _, e := range list {
		if e.decoded != nil {
			todo = append(todo, e)
		}
	}
	if len(todo) < few {
		return
	}
	next := make(chan Evidence)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for e := range next {
				_, _ = e.decoded.of(e.Body) // whoever asks for it is told what is wrong with it
			}
		})
	}
	for _, e := range todo {
		next <- e
	}
	close(next)
	wg.Wait()
}
