package logfile

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
)

// TestAPackedRotationIsReadWholeUnderAWindow has three rotations of a day each and a window at the start of the second: what stands behind
// the window in a file that cannot be probed is known only once it was read.
func TestAPackedRotationIsReadWholeUnderAWindow(t *testing.T) {
	const day, seconds = 24 * time.Hour, 86_400
	window := sources.Around(start.Add(day+time.Hour), 10*time.Minute)
	q := sources.LogQuery{Needles: sources.Spellings(id), Window: window}
	late := `{"time":"` + window.From.Add(time.Minute).Format(time.RFC3339) + `","level":"info","msg":"late ` + id + `"}` + "\n"
	early := `{"time":"` + start.Add(day+20*time.Minute).Format(time.RFC3339) + `","level":"info","msg":"disorder"}` + "\n"
	lines := strings.SplitAfter(jsonLog(start.Add(day), seconds, 100), "\n")
	disordered := strings.Join(lines[:3000], "") + early + strings.Join(lines[3000:], "") + late
	for name, c := range map[string]struct {
		files map[string]string
		more  int // hits besides those in their place
	}{
		"in order": {files: map[string]string{
			"app.log.2.gz": jsonLog(start, seconds/2, 100), "app.log.1.gz": strings.Join(lines, ""), "app.log": jsonLog(start.Add(2*day), 1000, 100),
		}},
		"two logs of a day, one behind the other": {more: 1, files: map[string]string{
			"app.log.2.gz": jsonLog(start, seconds/2, 100), "app.log.1.gz": strings.Join(lines, "") + jsonLog(start.Add(day), 3000, 0) + late, "app.log": jsonLog(start.Add(2*day), 1000, 100),
		}},
		"out of order": {more: 1, files: map[string]string{
			"app.log.2.gz": jsonLog(start, seconds/2, 100), "app.log.1.gz": disordered, "app.log": jsonLog(start.Add(2*day), 1000, 100),
		}},
		"the last one": {more: 1, files: map[string]string{
			"app.log.2.gz": jsonLog(start, seconds/2, 100), "app.log.1.gz": strings.Join(lines, "") + late,
		}},
		"the next begins earlier": {more: 1, files: map[string]string{
			"app.log.2.gz": jsonLog(start, seconds/2, 100), "app.log.1.gz": strings.Join(lines, "") + late, "app.log": jsonLog(start.Add(day), 1000, 0),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if strings.HasSuffix(file, ".gz") {
					text = pack(t, "gz", text)
				}
				write(t, dir, file, text)
			}
			res := search(t, open(t, dir, Options{})[0], q)
			if said := strings.Contains(strings.Join(res.Coverage.Limits, "; "), "app.log.1.gz was read only to "); said {
				t.Error(res.Coverage.Limits)
			}
			if n := len(res.Events); n != 12+c.more {
				t.Errorf("%d events: %v", n, positions(res))
			}
			if to := res.Coverage.To; to.Before(start.Add(2*day - time.Second)) {
				t.Errorf("it was read to %s", to)
			}
			if d := cmp.Diff("app.log.1.gz:3100", res.Events[0].Position); d != "" && c.more == 0 {
				t.Error(d)
			}
		})
	}
}
